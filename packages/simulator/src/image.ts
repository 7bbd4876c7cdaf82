/**
 * A small PNG graph for an alert's link to show (W3C PNG, Third Edition): 8-bit palette, one curve over a grid, drawn from
 * the name alone, so that one name is always one image.
 */
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

const WIDTH = 480;
const HEIGHT = 180;
const PALETTE = [
  [0xff, 0xff, 0xff],
  [0xe3, 0xe8, 0xee],
  [0x1f, 0x6f, 0xeb],
  [0xd1, 0x24, 0x2f],
] as const;
const [BACKGROUND, GRID, CURVE, ALARM] = [0, 1, 2, 3] as const;

export function drawGraph(name: string): Uint8Array {
  const pixels = new Uint8Array(WIDTH * HEIGHT).fill(BACKGROUND);
  for (let y = 0; y < HEIGHT; y += 30) pixels.fill(GRID, y * WIDTH, (y + 1) * WIDTH);
  const seed = createHash('sha256').update(name).digest();
  let previous = height(seed, 0);
  for (let x = 0; x < WIDTH; x += 1) {
    const current = height(seed, x);
    for (let y = Math.min(previous, current); y <= Math.max(previous, current) + 1; y += 1)
      pixels[y * WIDTH + x] = y < HEIGHT / 4 ? ALARM : CURVE;
    previous = current;
  }
  return encode(pixels);
}

/** A load that swings and then climbs towards the top, as a graph behind an alert does. */
function height(seed: Uint8Array, x: number): number {
  const phase = (seed[0] ?? 0) / 20;
  const swing = Math.sin(x / (12 + (seed[1] ?? 0) / 16) + phase) * 14 + Math.sin(x / 5 + phase) * 5;
  const climb = 100 / (1 + Math.exp((WIDTH * 0.72 - x) / 16));
  return Math.min(HEIGHT - 2, Math.max(0, Math.round(HEIGHT * 0.78 + swing - climb)));
}

function encode(pixels: Uint8Array): Uint8Array {
  const rows = Array.from({ length: HEIGHT }, (_, y) => [0, ...pixels.subarray(y * WIDTH, (y + 1) * WIDTH)]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      chunk('IHDR', header),
      chunk('PLTE', Uint8Array.from(PALETTE.flat())),
      chunk('IDAT', deflateSync(Uint8Array.from(rows.flat()), { level: 9 })),
      chunk('IEND', new Uint8Array()),
    ]),
  );
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
