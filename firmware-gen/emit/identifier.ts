/**
 * Model names come from file names, which may be anything. What the emitter makes of them is a C and C++ identifier and a file name that
 * shadows no header and no file of its own.
 */
const IDENTIFIER_CHARACTERS_MAX = 40;

/** Keywords of C and C++, standard headers (a model called "string" would emit string.h) and the emitter's own file names. */
const RESERVED = new Set(
  (
    'alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl complex const const_cast constexpr continue ' +
    'decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if imaginary inline int ' +
    'long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast restrict ' +
    'return short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try typedef typeid ' +
    'typename typeof union unsigned using virtual void volatile wchar_t while xor xor_eq ' +
    'assert ctype errno fenv inttypes iso646 limits locale math memory setjmp signal stdarg stdbool stddef stdint stdio stdlib string tgmath ' +
    'time wctype main board startup linker kernels runtime linux unix arm'
  ).split(' '),
);

/** Letters, digits and underscores, at most 40 of the name; begins with a letter. Case is kept. */
export function toIdentifier(name: string): string {
  const cleaned = name
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+/, '')
    .slice(0, IDENTIFIER_CHARACTERS_MAX)
    .replace(/_+$/, '');
  if (cleaned === '') return 'model';
  const unusable = /^[0-9]/.test(cleaned) || /^tl_/i.test(cleaned) || RESERVED.has(cleaned.toLowerCase());
  return unusable ? `model_${cleaned}` : cleaned;
}

/** Text from a model that may stand inside a C comment: printable ASCII, no comment delimiter, no line splice, no trigraph. */
export function toCommentText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/\*\/|\/\*/g, '__')
    .replace(/[\\?]/g, '_')
    .slice(0, 200);
}
