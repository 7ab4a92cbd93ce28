/** RAM behind an image's own data, for buffers of whoever calls its functions. */
import { UserError } from '../common/errors.ts';
import { endOfData, type FirmwareFile } from './image.ts';
import type { StackMeter } from './stack-meter.ts';

/** Stack watched during a call: memory below it is left alone, so that callers can keep their buffers there. */
export const CALL_STACK_BYTES = 64 * 1024;

export class ScratchRam {
  /** First address not given away; null: nothing is. */
  end: number | null = null;
  private readonly boardName: string;
  private readonly image: FirmwareFile;
  private readonly ram: { readonly start: number; readonly bytes: number };
  private readonly stack: StackMeter;

  constructor(
    boardName: string,
    image: FirmwareFile,
    ram: { readonly start: number; readonly bytes: number },
    stack: StackMeter,
  ) {
    this.boardName = boardName;
    this.image = image;
    this.ram = ram;
    this.stack = stack;
  }

  /** Address of the buffer. @throws UserError when RAM is used up. */
  allocate(bytes: number, alignment: number): number {
    const { ram } = this;
    const dataEnd = endOfData(this.image, ram);
    const top = this.stack.top();
    const limit = top > dataEnd ? top - Math.min(CALL_STACK_BYTES, (top - dataEnd) / 2) : ram.start + ram.bytes;
    const address = Math.ceil((this.end ?? dataEnd) / alignment) * alignment;
    if (address + bytes > limit)
      throw new UserError(
        `${bytes} bytes of buffers do not fit the RAM of board ${this.boardName} beside data and stack`,
      );
    this.end = address + bytes;
    return address;
  }
}
