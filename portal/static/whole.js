// Whether a baseline JPEG's data is all there. A browser shows a torn photo with a shift or a grey part and says nothing;
// drawn anew that would be a whole file, and nobody could tell any more. So the codes are read here, as the server reads
// them (`core/image/entropy.py`): data of which a part is missing runs out early, or means what no encoder writes.
const AHEAD = 8; // bytes behind the data, since codes are looked up 16 bits at a time
const SPARE = 8; // bytes that cameras leave behind the last block
const isRestart = (marker) => marker >= 0xd0 && marker <= 0xd7;

// Adds the Huffman tables of a segment to `tables`: for the next 16 bits the length of the code × 256 + its symbol.
export function addTables(tables, segment) {
  for (let at = 0; at + 17 <= segment.length; ) {
    const table = new Uint16Array(65536);
    let code = 0, symbol = at + 17;
    for (let length = 1; length <= 16; length += 1, code *= 2) {
      for (let count = segment[at + length]; count > 0; count -= 1, code += 1, symbol += 1) {
        table.fill(length * 256 + segment[symbol], code << (16 - length), (code + 1) << (16 - length));
      }
    }
    tables[segment[at]] = table;
    at = symbol;
  }
}

// Adds the step of each table's mean, the first of 64.
export function addSteps(steps, segment) {
  for (let at = 0; at < segment.length; at += segment[at] >> 4 ? 129 : 65) {
    steps[segment[at] & 15] = segment[at] >> 4 ? segment[at + 1] * 256 + segment[at + 2] : segment[at + 1];
  }
}

// `picture` has width, height, components ({ id, wide, high, steps }), tables, steps and the restart interval; `scan` is
// the header of its only scan, `coded` what follows it up to the next marker.
export function isWhole(picture, scan, coded) {
  const { components, interval } = picture;
  if (scan[0] !== components.length) return false; // a scan for each colour: nobody's camera
  const wide = Math.max(...components.map((one) => one.wide)), high = Math.max(...components.map((one) => one.high));
  const total = Math.ceil(picture.width / (8 * wide)) * Math.ceil(picture.height / (8 * high));
  const blocks = components.flatMap((one, index) => {
    const chosen = scan[2 + 2 * index];
    const block = { dc: picture.tables[chosen >> 4], ac: picture.tables[16 + (chosen & 15)], part: index, step: picture.steps[one.steps] };
    return scan[1 + 2 * index] === one.id ? Array(one.wide * one.high).fill(block) : [{}];
  });
  if (blocks.some((one) => !one.dc || !one.ac || !one.step)) return false;
  const { data, ends } = stretches(coded);
  const each = interval || total;
  if (ends.length !== Math.ceil(total / each)) return false;
  let start = 0;
  return ends.every((end, index) => {
    const last = index === ends.length - 1;
    const read = walk(data, start, end, last ? total - each * index : each, blocks);
    start = end;
    return read >= 0 && end - read <= (last ? SPARE : 2);
  });
}

// Returns the data without its stuffing, and where each stretch between restart markers ends.
function stretches(coded) {
  const data = new Uint8Array(coded.length + AHEAD), ends = [];
  let size = 0;
  for (let at = 0; at < coded.length; at += 1) {
    if (coded[at] !== 0xff) data[size++] = coded[at];
    else if (coded[at + 1] === 0) { data[size++] = 0xff; at += 1; }
    else if (isRestart(coded[at + 1])) { ends.push(size); at += 1; }
  }
  return { data, ends: [...ends, size] };
}

// Returns the byte up to which a stretch of so many MCUs reaches, -1 where the data is not theirs.
function walk(data, start, end, units, blocks) {
  const means = new Int32Array(4), limit = 8 * end;
  let at = 8 * start;
  const sixteen = () => {
    const byte = at >> 3;
    return (((data[byte] << 16) | (data[byte + 1] << 8) | data[byte + 2]) >> (8 - (at & 7))) & 0xffff;
  };
  for (let unit = 0; unit < units; unit += 1) {
    for (const { dc, ac, part, step } of blocks) {
      const mean = dc[sixteen()], size = mean & 255;
      if (!mean || size > 15) return -1;
      at += mean >> 8;
      if (size) {
        const more = sixteen() >> (16 - size);
        at += size;
        means[part] += more >> (size - 1) ? more : more - (1 << size) + 1;
        // 8 × 8 samples from -128 to 127 have means of -1024 to 1016 eighths; a step for rounding.
        if (Math.abs(means[part] * step) > 1024 + step) return -1;
      }
      for (let k = 1; k < 64; k += 1) {
        const found = ac[sixteen()], zeros = (found & 255) >> 4, bits = found & 15;
        if (!found) return -1;
        at += (found >> 8) + bits;
        if (!bits && zeros !== 15) break;
        k += zeros;
        if (k > 63) return -1;
      }
    }
    if (at > limit) return -1;
  }
  return Math.ceil(at / 8);
}
