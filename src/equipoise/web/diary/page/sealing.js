/* Keys and sealed packets on the phone.

   Rules that must stay true: the device's key lies on the phone only wrapped twice, by a key made from the PIN and by a
   key of this origin that cannot be taken out; a sealed packet tells neither what is in it nor how long it is. The form
   of packets is equipoise.diary.packets'; tests/vectors/diary-packets.json holds both to the same bytes. */

const VERSION = 1;
const BLOCK = 1024; // bytes: a plaintext is padded with spaces to a multiple
const LARGEST = 16 * 1024;
const ROUNDS = 600000; // OWASP, Password Storage Cheat Sheet 2023: PBKDF2 with HMAC-SHA-256
const LETTERS = "23456789abcdefghjkmnpqrstuvwxyz";
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const plain = crypto.subtle;

export const random = (length) => crypto.getRandomValues(new Uint8Array(length));

export function base64url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64url(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

/* A random id of 16 characters without look-alikes, as equipoise.words.ids makes them. */
export function randomId() {
  let made = "";
  while (made.length < 16) for (const byte of random(16)) if (byte < 248 && made.length < 16) made += LETTERS[byte % 31];
  return made;
}

export const importKey = (bytes) => plain.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
export const originKey = () => plain.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);

async function keyOfPin(pin, salt, rounds) {
  const base = await plain.importKey("raw", encoder.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds };
  return plain.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function shut(key, bytes) {
  const nonce = random(12);
  return { nonce, box: new Uint8Array(await plain.encrypt({ name: "AES-GCM", iv: nonce }, key, bytes)) };
}

const opened = async (key, kept) => new Uint8Array(await plain.decrypt({ name: "AES-GCM", iv: kept.nonce }, key, kept.box));

/* The device's key, wrapped by the PIN and by the key of this origin: what may lie on the phone. */
export async function wrap(key, pin, origin) {
  const salt = random(16);
  const inner = await shut(await keyOfPin(pin, salt, ROUNDS), key);
  const outer = await shut(origin, new Uint8Array([...inner.nonce, ...inner.box]));
  return { salt, rounds: ROUNDS, nonce: outer.nonce, box: outer.box };
}

/* The device's key, usable and not to be taken out; null where the PIN is wrong. */
export async function unwrap(kept, pin, origin) {
  try {
    const inner = await opened(origin, kept);
    const key = await opened(await keyOfPin(pin, kept.salt, kept.rounds), { nonce: inner.slice(0, 12), box: inner.slice(12) });
    return await importKey(key);
  } catch (fault) {
    if (fault.name === "OperationError") return null;
    throw fault;
  }
}

/* A value sealed for this phone alone: a draft, what an entry is about. */
export const shutAway = (key, value) => shut(key, encoder.encode(JSON.stringify(value)));
export const readAgain = async (key, kept) => JSON.parse(decoder.decode(await opened(key, kept)));

/* What the hospital tells of the diary, sealed for this phone. */
export async function readNews(key, device, news) {
  const additionalData = encoder.encode(`equipoise-diary-${VERSION}|${device}|to the phone`);
  return JSON.parse(decoder.decode(await plain.decrypt({ name: "AES-GCM", iv: fromBase64url(news.nonce), additionalData }, key, fromBase64url(news.box))));
}

/* As Python's json writes it with sorted keys: the same value gives the same bytes at both ends. */
const sorted = (name, value) => (value && typeof value === "object" && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value);

export function padded(value) {
  const bytes = encoder.encode(JSON.stringify(value, sorted));
  const made = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK).fill(32);
  made.set(bytes);
  return made;
}

/* A packet for the hospital. Throws RangeError beyond what the server takes. */
export async function seal(key, device, id, value, nonce = random(12)) {
  const bytes = padded(value);
  if (bytes.length > LARGEST) throw new RangeError("a packet is too large");
  const additionalData = encoder.encode(`equipoise-diary-${VERSION}|${device}|${id}`);
  const box = new Uint8Array(await plain.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, bytes));
  return { v: VERSION, device, id, nonce: base64url(nonce), box: base64url(box) };
}
