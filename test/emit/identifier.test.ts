/** Model names are file names of strangers: whatever they hold, C identifiers and comments stay what they are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCommentText, toIdentifier } from '../../firmware-gen/emit/identifier.ts';

const SEED = 11;

describe('toIdentifier', () => {
  it.each([
    ['kws_ref_model', 'kws_ref_model'],
    ['My Model (v2)!', 'My_Model_v2'],
    ['../../etc/passwd', 'etc_passwd'],
    ['3d-net', 'model_3d_net'],
    ['', 'model'],
    ['日本', 'model'],
    ['__attribute__', 'attribute'],
    ['while', 'model_while'],
    ['class', 'model_class'],
    ['string', 'model_string'],
    ['MAIN', 'model_MAIN'],
    ['tl_types', 'model_tl_types'],
    ['"; system("rm -rf /"); //', 'system_rm_rf'],
  ])('should make of %j the identifier %s', (name, identifier) => {
    expect(toIdentifier(name)).toBe(identifier);
  });

  it(`should always give a short identifier that begins with a letter (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        expect(toIdentifier(name)).toMatch(/^[A-Za-z][A-Za-z0-9_]{0,60}$/);
      }),
      { seed: SEED },
    );
  });
});

describe('toCommentText', () => {
  it('should not let text end a comment, splice lines or form trigraphs', () => {
    expect(toCommentText('a */ int x; /* b')).toBe('a __ int x; __ b');
    expect(toCommentText('a\nb\\')).toBe('a_b_');
    expect(toCommentText('??/')).toBe('__/');
  });

  it(`should contain no comment delimiter whatever it is given (seed ${SEED})`, () => {
    const pieces = fc.array(fc.constantFrom('*', '/', '\\', '?', '\n', 'a'), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, (characters) => {
        expect(toCommentText(characters.join(''))).not.toMatch(/\*\/|\/\*|\\|\?|\n/);
      }),
      { seed: SEED },
    );
  });
});
