/** c, C, s, S, bc, bs and vCont (GDB manual E.2). There is one thread, so the first action that may apply to it is the one; signals are dropped. */
import { parseNumber } from './packets.ts';
import { ERROR_ARGUMENT } from './replies.ts';
import type { ResumeAction } from './execution.ts';

export interface ResumeRequest {
  readonly action: ResumeAction;
  /** Where to go on, or null for where the target stands. */
  readonly address: number | null;
}

/** A request, a reply for what is malformed or a mere question, or null for another kind of packet. */
export function parseResume(text: string): ResumeRequest | string | null {
  if (text === 'bc' || text === 'bs')
    return { action: { kind: text === 'bc' ? 'continueBack' : 'stepBack' }, address: null };
  if (text === 'vCont?') return 'vCont;c;C;s;S;r';
  if (text.startsWith('vCont;')) return parseVCont(text.slice('vCont;'.length));
  const plain = /^(?:([cs])([0-9a-fA-F]*)|([CS])[0-9a-fA-F]{2}(?:;([0-9a-fA-F]+))?)$/.exec(text);
  if (plain === null) return /^[cCsS]/.test(text) ? ERROR_ARGUMENT : null;
  const letter = plain[1] ?? plain[3] ?? 'c';
  const addressText = plain[2] ?? plain[4] ?? '';
  const address = addressText === '' ? null : parseNumber(addressText);
  if (addressText !== '' && address === null) return ERROR_ARGUMENT;
  return { action: { kind: letter.toLowerCase() === 's' ? 'step' : 'continue' }, address };
}

function parseVCont(list: string): ResumeRequest | string {
  for (const item of list.split(';')) {
    const [action = '', thread] = item.split(':');
    if (thread !== undefined && !/^(-1|0|1)$/.test(thread)) continue;
    if (action === 'c' || /^C[0-9a-fA-F]{2}$/.test(action)) return { action: { kind: 'continue' }, address: null };
    if (action === 's' || /^S[0-9a-fA-F]{2}$/.test(action)) return { action: { kind: 'step' }, address: null };
    if (!action.startsWith('r')) return ERROR_ARGUMENT;
    const [startText, endText] = action.slice(1).split(',');
    const start = parseNumber(startText);
    const end = parseNumber(endText);
    if (start === null || end === null) return ERROR_ARGUMENT;
    return { action: { kind: 'range', start, end }, address: null };
  }
  return ERROR_ARGUMENT;
}
