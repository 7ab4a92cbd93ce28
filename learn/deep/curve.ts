/** A training curve as a stand-alone SVG: loss (left scale) and validation accuracy (right scale) over steps. */
import type { CurvePoint } from './checkpoint.ts';

const [WIDTH, HEIGHT, MARGIN] = [640, 320, 48];

export function curveSvg(points: readonly CurvePoint[], title: string): string {
  const lastStep = points.at(-1)?.step ?? 1;
  const lossMax = Math.max(...points.map(({ loss }) => loss), 1e-9);
  const x = (step: number): number => MARGIN + ((WIDTH - 2 * MARGIN) * step) / lastStep;
  const y = (share: number): number => HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share;
  const line = (values: readonly (readonly [number, number])[], colour: string): string =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${values.map(([step, share]) => `${x(step).toFixed(1)},${y(share).toFixed(1)}`).join(' ')}"/>`;
  const accuracies = points.flatMap(({ step, accuracy }) => (accuracy === null ? [] : [[step, accuracy] as const]));
  const text = (at: number, height: number, anchor: string, words: string): string =>
    `<text x="${at}" y="${height}" text-anchor="${anchor}" font-family="sans-serif" font-size="12">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<path d="M${MARGIN} ${MARGIN}V${HEIGHT - MARGIN}H${WIDTH - MARGIN}V${MARGIN}" fill="none" stroke="black"/>`,
    line(
      points.map(({ step, loss }) => [step, loss / lossMax] as const),
      '#c0392b',
    ),
    line(accuracies, '#2471a3'),
    text(WIDTH / 2, 24, 'middle', title),
    text(MARGIN - 6, MARGIN + 4, 'end', lossMax.toFixed(2)),
    text(MARGIN - 6, HEIGHT - MARGIN + 4, 'end', '0'),
    text(WIDTH - MARGIN + 6, MARGIN + 4, 'start', '100 %'),
    text(MARGIN, HEIGHT - 16, 'start', 'loss (red), validation accuracy (blue)'),
    text(WIDTH - MARGIN, HEIGHT - 16, 'end', `step ${lastStep}`),
    '</svg>\n',
  ].join('\n');
}
