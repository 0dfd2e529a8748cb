// Photos are made as small as the product needs before they are sent. What the file says about itself stays true:
// only a baseline JPEG, as cameras write it, that is whole and whose colours a browser shows as they are meant is drawn
// anew, upright, in sRGB.
import { addSteps, addTables, isWhole } from "./whole.js";

// What the pictures are made from (`core.style.spec.MAX_SIDE`), and what the smallest canvas of a phone holds.
const MAX_SIDE = 4096;
const QUALITY = 0.92; // differences below this are not seen, and a photo of 4,096 pixels has some 2 MB
const ZEROS = 2048; // bytes in a row, half a page of a disk: hardly a coded picture has them, one saved in part has

const COLOURS = 3; // grey and CMYK are turned into sRGB by profiles that not every browser heeds
const START = 0xd8, END = 0xd9, SCAN = 0xda, EXIF = 0xe1, CODES = 0xc4, STEPS = 0xdb, INTERVAL = 0xdd;
const BASELINE = [0xc0, 0xc1];
const isFrame = (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const isRestart = (marker) => marker >= 0xd0 && marker <= 0xd7;

// Returns a Blob to send: the photo with no side above 4,096 pixels, or the file itself where that is no use.
export async function shrink(file) {
  try {
    const found = read(new Uint8Array(await file.arrayBuffer()));
    if (!found || found.adobe) return file;
    const smaller = await draw(file);
    return smaller && smaller.size < file.size ? smaller : file;
  } catch {
    return file; // too large for this phone's memory, say: it is sent as it is, and judged there
  }
}

// Returns of a whole JPEG that is too large whether its EXIF alone says Adobe RGB, which browsers do not heed; nothing
// for any other file. A damaged one must be judged as it is: see `whole.js`.
export function read(bytes) {
  const picture = { tables: {}, steps: {}, interval: 0 };
  let at = 2, adobe = false;
  if (bytes[0] !== 0xff || bytes[1] !== START) return null;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    if (marker === 0xff) { at += 1; continue; }
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    const segment = bytes.subarray(at + 4, end);
    if (isFrame(marker) && !(BASELINE.includes(marker) && frame(picture, segment))) return null;
    if (marker === CODES) addTables(picture.tables, segment);
    if (marker === STEPS) addSteps(picture.steps, segment);
    if (marker === INTERVAL) picture.interval = segment[0] * 256 + segment[1];
    if (marker === EXIF) adobe ||= holds(segment, "R03\0");
    if (marker === SCAN) {
      const last = scanned(bytes, end);
      const whole = last > 0 && Math.max(picture.width, picture.height) > MAX_SIDE && isWhole(picture, segment, bytes.subarray(end, last));
      return whole ? { adobe } : null;
    }
    at = end;
  }
  return null;
}

// Notes what a frame's header says; nothing comes back of more than 8 bits, and of other colours.
function frame(picture, segment) {
  if (segment[0] !== 8 || segment[5] !== COLOURS) return false;
  picture.height = segment[1] * 256 + segment[2];
  picture.width = segment[3] * 256 + segment[4];
  picture.components = [6, 9, 12].map((at) => ({ id: segment[at], wide: segment[at + 1] >> 4, high: segment[at + 1] & 15, steps: segment[at + 2] }));
  return picture.components.every((one) => one.wide && one.high);
}

// Returns where a scan's coded pixels end, -1 where they hold what no encoder writes.
function scanned(bytes, start) {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[at + 1];
    if (marker === 0 || isRestart(marker)) at += 2;
    else if (marker === 0xff) at += 1;
    else return marker === END && !zeros(bytes, start, at) ? at : -1;
  }
  return -1;
}

function zeros(bytes, start, end) {
  for (let at = start + ZEROS; at < end; at += ZEROS) {
    if (bytes[at]) continue;
    let first = at, last = at;
    while (first > start && !bytes[first - 1]) first -= 1;
    while (last < end && !bytes[last + 1]) last += 1;
    if (last - first + 1 >= ZEROS) return true;
  }
  return false;
}

function holds(bytes, text) {
  const wanted = [...text].map((one) => one.charCodeAt(0));
  return bytes.some((_, at) => wanted.every((byte, index) => bytes[at + index] === byte));
}

async function draw(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode(); // upright, as the file's orientation says
    const scale = MAX_SIDE / Math.max(image.naturalWidth, image.naturalHeight);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb" });
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height); // its profile is turned into sRGB here
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
