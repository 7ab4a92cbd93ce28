/** elfy 1.0 ships no types; these are the parts elf.ts reads (lib/elfy/parser.js). */
declare module 'elfy' {
  export interface ElfyProgram {
    type: string | undefined;
    offset: number;
    vaddr: number;
    paddr: number;
    filesz: number;
    memsz: number;
    data: Uint8Array;
  }
  export interface ElfySection {
    name: string;
    type: string | number;
    addr: number;
    off: number;
    size: number;
    link: number;
    entsize: number;
    data: Uint8Array;
  }
  export interface ElfyFile {
    class: string;
    endian: string;
    machine: string | undefined;
    type: string | undefined;
    entry: number;
    body: { programs: ElfyProgram[]; sections: ElfySection[] };
  }
  export function parse(buffer: Uint8Array): ElfyFile;
  const elfy: { parse: typeof parse };
  export default elfy;
}
