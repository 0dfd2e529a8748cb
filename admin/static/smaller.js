// Makes a picture smaller before it is sent: a phone photo is many megabytes. What was transparent becomes white.
const TAKEN = ["image/png", "image/jpeg", "image/webp"]; // as the server does; others go as they are, and it says so

export async function smaller(upload, largest) {
  if (!TAKEN.includes(upload.type)) return upload;
  try {
    const bitmap = await createImageBitmap(upload);
    const scale = Math.min(1, largest / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
  } catch {
    return upload; // not a picture that the browser reads: the server says what is wrong
  }
}
