/** Actors of the audit trail in words. */
import { oneLine } from "./plain_text.ts";

const KINDS: readonly (readonly [RegExp, (rest: string) => string])[] = [
  [/^operator:telegram:(\d+)$/, (id) => `Telegram ${id}`],
  [/^operator:(cli)$/, () => "the terminal"],
  [/^operator:(http)$/, () => "the page"],
  [/^cron:(.+)$/, (job) => `cron ${job.replaceAll("_", " ")}`],
];

export function nameActor(actor: string | null): string {
  if (actor === null) return "somebody";
  for (const [form, name] of KINDS) {
    const match = form.exec(actor);
    if (match) return oneLine(name(match[1]), 40);
  }
  return oneLine(actor, 40);
}
