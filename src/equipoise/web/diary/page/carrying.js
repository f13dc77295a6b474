/* Carrying packets from the phone to the hospital.

   Rules that must stay true: a packet keeps its id and its bytes on every try, so that a second try is a replay; it
   counts as carried only on a receipt; nothing asks again and again by the clock: what is carried is carried when the
   page is opened, when something was entered, and when the line comes back; whatever is asked is counted until it is
   answered. */

import { all, change, get, put, write } from "./keeping.js";
import * as telling from "./telling.js";

const MOST = 32; // packets in one request
const PATIENCE = 20000; // milliseconds for one request on a bad line
const WHOLE = ["diary.device-revoked", "diary.device-unknown", "diary.packet-forged"]; // what is refused of the phone, not of a packet
const underWay = new Set();
let running = null;
let reached = true;

export const lineIsUp = () => navigator.onLine !== false && reached;

/* Count something that asks until it has ended. */
export function counted(asking) {
  const ended = asking.catch(() => null).finally(() => underWay.delete(ended));
  underWay.add(ended);
  return asking;
}

/* Until nothing is being asked. */
export async function quiet() {
  while (underWay.size) await Promise.all(underWay);
}

/* A question to the hospital; null where it cannot be reached. */
export const ask = (address, body) => counted(spoken(address, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }));

export async function fetched(address) {
  const answer = await counted(spoken(address, {}));
  return answer && answer.ok ? answer.said : null;
}

async function spoken(address, how) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(address, { ...how, credentials: "omit", signal: stop.signal });
    const said = await answer.json();
    reached = true;
    return { ok: answer.ok, status: answer.status, said };
  } catch (fault) {
    reached = false;
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/* Put a sealed packet in the queue: once this is done, it is on the phone. `about` is sealed too. */
export const enqueue = (packet, kind, about) => put("queue", {
  id: packet.id, device: packet.device, kind, packet, about, state: "PHONE", made: Date.now(),
});

export const waiting = async (device) => (await all("queue")).filter((one) => one.state === "PHONE" && (!device || one.device === device));

/* Send what waits, each device's packets apart. Resolves to whether all of it has an answer. Several calls are one. */
export function carry(changed, greeting) {
  if (!running) running = counted(carryAll(changed, greeting)).finally(() => { running = null; });
  else if (greeting) running = counted(running.then(() => carryAll(changed, greeting))).finally(() => { running = null; });
  return running;
}

async function carryAll(changed, greeting) {
  for (const person of await all("people")) {
    const hello = greeting && greeting.device === person.device ? [greeting] : [];
    const packets = [...hello, ...(await waiting(person.device)).sort((a, b) => a.made - b.made).map((one) => one.packet)];
    for (let from = 0; from < packets.length; from += MOST) {
      if (!(await send(person, packets.slice(from, from + MOST)))) { changed(); return false; }
      changed();
    }
  }
  return (await waiting()).length === 0;
}

async function send(person, packets) {
  const asked = telling.mono();
  const answer = await ask("/diary/intake", { packets });
  if (!answer) return false;
  if (!answer.ok) { // the sending as a whole: why, in the hospital's own words
    const { says } = answer.said;
    if (says) await change("people", person.device, (held) => ({ ...held, refused: { says, next: null } }));
    return false;
  }
  await telling.heard(answer.said.server_time, asked);
  for (const one of answer.said.answers) await noted(one);
  const refused = answer.said.answers.find((one) => WHOLE.includes(one.rule)) || null;
  const told = answer.said.news ? { news: answer.said.news } : {}; // sealed, and opened where the key is
  await change("people", person.device, (held) => ({ ...held, ...told, refused: refused && { says: refused.says, next: refused.next } }));
  return true;
}

/* What the hospital said of one packet. With a receipt its contents leave the phone. */
async function noted(said) {
  const held = await get("queue", said.id);
  if (!held || said.state === "AGAIN_LATER") return;
  const { packet, ...kept } = held;
  await write(["queue"], (store) => store("queue").put({ ...kept, state: said.state, receipt: said.receipt, says: said.says, next: said.next, answered: Date.now() }));
}
