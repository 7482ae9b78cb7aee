/** Live streams as the pages open them, and polls against a running service, until stdin closes; then their figures as one line of JSON. */
const [url, streams, rate] = Deno.args;

const times: number[] = [];
let failed = 0;
let messages = 0;
const ending = new AbortController();

/** The number of the session at work, once there is one. */
async function findSession(): Promise<number> {
  while (true) {
    const { session } = await (await fetch(`${url}/api/status`)).json();
    if (session?.session.status === "PROCESSING") return session.session.number;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function listen(number: number): Promise<void> {
  const answer = await fetch(`${url}/api/sessions/${number}/events?events=moves`, { signal: ending.signal });
  if (!answer.body) return;
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    messages += text.split("\n\n").length - 1;
  }
}

async function ask(): Promise<void> {
  const asked = performance.now();
  try {
    const answer = await fetch(`${url}/api/status`);
    await answer.text();
    if (!answer.ok) failed++;
    times.push(performance.now() - asked);
  } catch {
    failed++;
  }
}

const timer = setInterval(() => void ask(), 1_000 / Number(rate));
const number = await findSession();
for (let n = 0; n < Number(streams); n++) listen(number).catch(() => {});
for await (const _ of Deno.stdin.readable);
clearInterval(timer);
ending.abort();
times.sort((a, b) => a - b);
const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), asked: times.length, failed, messages }));
Deno.exit(0);
