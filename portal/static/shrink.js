// Photos are made as small as the product needs before they are sent. What the file says about itself stays true:
// only a JPEG that is whole and whose colours a browser shows as they are meant is drawn anew, upright, in sRGB.

// What the pictures are made from (`core.style.spec.MAX_SIDE`), and what the smallest canvas of a phone holds.
const MAX_SIDE = 4096;
const QUALITY = 0.92; // differences below this are not seen, and a photo of 4,096 pixels has some 2 MB
const ZEROS = 2048; // bytes in a row, half a page of a disk: hardly a coded picture has them, one saved in part has

const COLOURS = 3; // grey and CMYK are turned into sRGB by profiles that not every browser heeds
const START = 0xd8, END = 0xd9, SCAN = 0xda, EXIF = 0xe1;
const isFrame = (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const isRestart = (marker) => marker >= 0xd0 && marker <= 0xd7;
// Between and behind the scans of a progressive picture: Huffman and quantisation tables, intervals, comments.
const isBetween = (marker) => [0xc4, 0xdb, 0xdd, 0xfe, SCAN].includes(marker);

// Returns a Blob to send: the photo with no side above 4,096 pixels, or the file itself where that is no use.
export async function shrink(file) {
  try {
    const found = read(new Uint8Array(await file.arrayBuffer()));
    if (!found || found.adobe || Math.max(found.width, found.height) <= MAX_SIDE) return file;
    const smaller = await draw(file);
    return smaller && smaller.size < file.size ? smaller : file;
  } catch {
    return file; // too large for this phone's memory, say: it is sent as it is, and judged there
  }
}

// Returns the size of a whole JPEG, and whether its EXIF alone says Adobe RGB, which browsers do not heed; nothing for
// any other file. A damaged one must be judged as it is: drawn anew it would be whole, with a grey or torn part.
export function read(bytes) {
  let at = 2, adobe = false, size = null;
  if (bytes[0] !== 0xff || bytes[1] !== START) return null;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    if (marker === 0xff) { at += 1; continue; }
    if (marker === END) return size && { ...size, adobe };
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    if (isFrame(marker) && bytes[at + 9] !== COLOURS) return null;
    if (isFrame(marker)) size = { height: bytes[at + 5] * 256 + bytes[at + 6], width: bytes[at + 7] * 256 + bytes[at + 8] };
    if (marker === EXIF) adobe ||= holds(bytes.subarray(at, end), "R03\0");
    at = marker === SCAN ? scanned(bytes, end) : end;
    if (at < 0) return null;
  }
  return size && bytes[at] === 0xff && bytes[at + 1] === END ? { ...size, adobe } : null;
}

// Returns where a scan's coded pixels end, -1 where they hold what no encoder writes.
function scanned(bytes, start) {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[at + 1];
    if (marker === 0 || isRestart(marker)) at += 2;
    else if (marker === 0xff) at += 1;
    else return (marker === END || isBetween(marker)) && !zeros(bytes, start, at) ? at : -1;
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
