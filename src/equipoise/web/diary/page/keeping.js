/* What lies on the phone, in IndexedDB.

   Rules that must stay true: a write is done when the phone says it is on its disk (durability strict, where the browser
   knows it); nothing that tells of a person's health lies here unsealed; what the hospital holds is taken off the phone:
   it is a queue and never the store. */

const NAME = "equipoise-diary";
const STORES = { settings: undefined, people: "device", queue: "id", drafts: "name" };
let opening = null;

function opened() {
  if (!opening) {
    opening = new Promise((resolve, reject) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        for (const [name, path] of Object.entries(STORES)) asked.result.createObjectStore(name, path ? { keyPath: path } : undefined);
      };
      asked.onsuccess = () => {
        asked.result.onversionchange = () => asked.result.close();
        asked.result.onclose = () => { opening = null; };
        resolve(asked.result);
      };
      asked.onerror = () => reject(asked.error);
    }).catch((fault) => { opening = null; throw fault; });
  }
  return opening;
}

const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function read(store, how) {
  const db = await opened();
  return answer(how(db.transaction(store).objectStore(store)));
}

/* Several changes at once: `work` gets a function that gives a store. Done when they are on the disk. */
export async function write(stores, work) {
  const db = await opened();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(stores, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    work((name) => transaction.objectStore(name));
  });
}

/* Change what lies under a key, as it lies there at that moment; nothing where nothing lies. */
export const change = (store, key, how) => write([store], (held) => {
  const asked = held(store).get(key);
  asked.onsuccess = () => { if (asked.result) held(store).put(how(asked.result)); };
});

export const get = (store, key) => read(store, (held) => held.get(key));
export const all = (store) => read(store, (held) => held.getAll());
export const put = (store, value, key) => write([store], (held) => held(store).put(value, key));
