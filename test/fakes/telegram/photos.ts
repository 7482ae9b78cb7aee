/** Photos that the bot sends: stored as they came, refused as Telegram refuses them. */
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";
import type { Photo, World } from "./world.ts";

/** Bytes of a photo. */
const MAX_BYTES = 10 * 1024 * 1024;
/** Width and height together, and one to the other. */
const MAX_SIDES = 10_000;
const MAX_RATIO = 20;

export async function readPhoto(world: World, params: Params): Promise<Photo> {
  const file = params.file("photo");
  if (file === null) throw badRequest("there is no photo in the request");
  if (typeof file === "string") {
    const known = world.files.get(file);
    if (!known) throw badRequest("wrong file identifier/HTTP URL specified");
    return known;
  }
  if (file.bytes.length === 0) throw badRequest("file must be non-empty");
  if (file.bytes.length > MAX_BYTES) throw badRequest("file is too big");
  const [width, height] = readPngSize(file.bytes);
  if (width + height > MAX_SIDES || Math.max(width / height, height / width) > MAX_RATIO) {
    throw badRequest("PHOTO_INVALID_DIMENSIONS");
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", file.bytes));
  const photo = { ...file, width, height, fileId: `AgAC${hash.slice(0, 12).toHex()}` };
  world.files.set(photo.fileId, photo);
  return photo;
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Width and height from the first chunk. Other formats are not sent here, so a test should hear of one. */
function readPngSize(bytes: Uint8Array<ArrayBuffer>): [number, number] {
  if (!PNG.every((byte, index) => bytes[index] === byte)) throw badRequest("IMAGE_PROCESS_FAILED");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}
