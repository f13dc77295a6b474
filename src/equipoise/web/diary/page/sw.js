/* The shell of the diary without a line: every file of one version, or of none.

   Rules that must stay true: files of two versions never meet on one page; a newer version waits until no entry is open
   (the page says when); what the phone sends and is answered never passes through here. VERSION is put in by the server:
   it changes when any file does. */

const VERSION = "{version}";
const SHELL = "{files}".split(" ");
const NAME = `diary-${VERSION}`;
const RECORDINGS = "diary-recordings"; // not of one version

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: "no-cache" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name.startsWith("diary-") && name !== NAME && name !== RECORDINGS).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => { if (event.data === "take over") self.skipWaiting(); });

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET" || !path.startsWith("/diary/")) return;
  if (path.startsWith("/diary/recordings/")) { event.respondWith(recording(request)); return; }
  if (!SHELL.includes(path)) return;
  event.respondWith(caches.open(NAME).then((cache) => cache.match(path)).then((held) => held || fetch(request)));
});

/* A recording is kept once it was heard, or fetched beforehand. A part of it is answered as one: some phones play nothing else. */
async function recording(request) {
  const cache = await caches.open(RECORDINGS);
  let held = await cache.match(request.url);
  if (!held) {
    held = await fetch(request.url);
    if (held.status === 200) await cache.put(request.url, held.clone());
  }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") || "");
  if (!asked || held.status !== 200) return held;
  const bytes = await held.arrayBuffer();
  const from = Number(asked[1]);
  const to = Math.min(asked[2] ? Number(asked[2]) : bytes.byteLength - 1, bytes.byteLength - 1);
  const headers = { "Content-Type": held.headers.get("Content-Type"), "Content-Range": `bytes ${from}-${to}/${bytes.byteLength}`, "Accept-Ranges": "bytes" };
  return from > to ? new Response(null, { status: 416, headers: { "Content-Range": `bytes */${bytes.byteLength}` } }) : new Response(bytes.slice(from, to + 1), { status: 206, headers });
}
