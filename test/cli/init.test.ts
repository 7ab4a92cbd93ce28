/** `thumbelina init` and what reads its files; `ood` and `system` refuse what they cannot use. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseTrainConfig } from '../../learn/deep/config.ts';
import { thumbelina } from './support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-init-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('thumbelina init', () => {
  it('should write a configuration that train takes, with its schema, and not overwrite it', async () => {
    const made = await thumbelina(['init', '-o', folder, '--name', 'mine', '--json']);
    expect(made.code).toBe(0);
    const config = JSON.parse(readFileSync(join(folder, 'thumbelina.json'), 'utf8')) as { $schema: string };
    expect(parseTrainConfig(config, 'thumbelina.json')).toMatchObject({ name: 'mine', head: { kind: 'deconf-c' } });
    const schema = JSON.parse(readFileSync(join(folder, config.$schema), 'utf8')) as {
      properties: object;
      required: string[];
    };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['data', 'frontEnd', 'encoder', 'head', 'deploy']),
    );
    // What has a default may be left out.
    expect(schema.required).not.toContain('augmentation');
    for (const [name, property] of Object.entries(schema.properties).filter(([name]) => !name.includes('chema')))
      expect((property as { description?: string }).description, name).toMatch(/\.$/);
    // What comes after training is there with every field.
    expect(config).toMatchObject({
      deploy: { detector: 'statistics', accept: 0.95 },
      quantization: { scheme: 'static' },
      adaptation: { layers: 'head', perClass: 10 },
      board: 'mps2-an386',
    });
    const again = await thumbelina(['init', '-o', folder]);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toMatch(/exists already/);
  });

  it('should write one for sound as well', async () => {
    const other = join(folder, 'sound');
    expect((await thumbelina(['init', '-o', other, '--template', 'kws', '--data', 'words'])).code).toBe(0);
    const config: unknown = JSON.parse(readFileSync(join(other, 'thumbelina.json'), 'utf8'));
    expect(parseTrainConfig(config, 'thumbelina.json')).toMatchObject({
      data: { kind: 'audio', folder: 'words', noise: null },
      frontEnd: { kind: 'mfcc' },
    });
  });

  it('should have its errors told by train, ood and system', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"schemaVersion": 1}');
    for (const args of [
      ['train', bad],
      ['ood', 'evaluate', bad, '--data', folder],
      ['system', bad],
      ['ood', 'fit', bad],
    ]) {
      const { code, stderr } = await thumbelina(args);
      expect(code, args.join(' ')).toBe(2);
      expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
    }
  });
});
