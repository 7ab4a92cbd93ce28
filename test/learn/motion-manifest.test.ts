/** Manifests of motion and sound: units become those that everything counts on, and what is wrong is said in one line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadClips } from '../../learn/data/clips.ts';
import { parseTrainConfig, type MotionConfig } from '../../learn/deep/config.ts';
import { motionTrainingData } from '../../learn/deep/train-motion.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { workspace } from '../cli/support/workspace.ts';
import { motionProject, writeMotionRecordings } from './support/motion-recordings.ts';

const space = workspace();
const folder = space.folder('motion');
writeMotionRecordings(folder, ['walking', 'jogging']);
const path = join(folder, 'manifest.json');
const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

/** The data set with other fields in its manifest. */
function changed(fields: object): string {
  writeFileSync(path, JSON.stringify({ ...manifest, ...fields }));
  return folder;
}

describe('a manifest of motion', () => {
  it('should be brought to m/s^2 and rad/s', () => {
    const units = ['g', 'g', 'm/s^2', 'deg/s', 'rad/s', 'rad/s'];
    const data = loadDataset(changed({ units, scale: [1, 2, 3, 180, 5, 6] }));
    expect(data.scale).toEqual([9.80665, 2 * 9.80665, 3, Math.PI, 5, 6]);
    expect(data.units).toEqual(['m/s^2', 'm/s^2', 'm/s^2', 'rad/s', 'rad/s', 'rad/s']);
  });

  it.each<[string, object, RegExp]>([
    ['a unit that nobody knows', { units: Array(6).fill('mg') }, /manifest\.json: units\.0 .*"deg\/s"/],
    ['a scale for other channels', { scale: [1, 1, 1] }, /scale and units have not one value per channel/],
    ['samples of another type', { dtype: 'float32le' }, /manifest\.json: dtype .*int16le/],
    ['no recordings', { recordings: undefined }, /manifest\.json: recordings /],
  ])('should be refused for %s', (_, fields, message) => {
    expect(() => loadDataset(changed(fields))).toThrow(message);
    expect(() => loadDataset(changed(fields))).toThrow(/^[^\n]+$/);
  });

  it('should be refused when it is no JSON, or of another kind', () => {
    expect(() => loadClips(changed({}))).toThrow(/manifest\.json: clipSamples .*; repair the manifest/);
    writeFileSync(path, '{');
    expect(() => loadDataset(folder)).toThrow(/^[^\n]*manifest\.json: [^\n]+; repair the manifest$/);
    expect(() => loadDataset(space.folder('empty'))).toThrow(/manifest\.json: no such file; check the path/);
  });

  it('should be refused for training when nobody validates', () => {
    const { data, ...project } = motionProject(changed({}));
    const few = { ...project, data: { ...data, validateEvery: 7 } };
    expect(() => motionTrainingData(parseTrainConfig(few, 'few') as MotionConfig)).toThrow(
      /moves: fewer subjects train than data\.validateEvery, 7, so that nobody validates/,
    );
  });

  it('should be refused for training without accelerometer and gyroscope', () => {
    const three = { channels: ['ax', 'ay', 'az'], units: Array(3).fill('g'), scale: [1, 1, 1] };
    const config = parseTrainConfig(motionProject(changed(three)), 'three') as MotionConfig;
    expect(() => motionTrainingData(config)).toThrow(
      /has 3 channels, motion is learned from accelerometer and gyroscope, 6/,
    );
  });
});
