/**
 * The fake Telegram to be used by hand: what the bot writes is printed, a line that is typed is said to it, and `!Start`
 * presses the button Start of the newest message that has it.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { startFakeTelegram } from "../telegram.ts";
import type { StoredMessage } from "./world.ts";

/** An id, a token: fixed, so that the service's settings stay the same from run to run. */
const PERSON = 1001;
const TOKEN = "7001002003:AAfake-token-of-the-fake-telegram-0";

export async function playTelegram(port: number): Promise<void> {
  const telegram = await startFakeTelegram({ port, token: TOKEN });
  console.log(`TELEGRAM_API_ROOT=${telegram.apiRoot}`);
  console.log(`TELEGRAM_BOT_TOKEN=${telegram.token}`);
  console.log(`TELEGRAM_OPERATORS=${PERSON}`);
  const person = telegram.user(PERSON, { first_name: "You" });
  const printed = new Map<StoredMessage, number>();
  const print = () => {
    for (const message of person.chat.fromBot) {
      const version = message.versions.length;
      if (printed.get(message) === version) continue;
      printed.set(message, version);
      const buttons = message.buttons.map((row) => row.map((label) => `[${label}]`).join(" "));
      console.log(
        ["", `#${message.message_id}${version > 1 ? " edited" : ""}`, message.text, ...buttons].join("\n"),
      );
    }
    return null;
  };
  void telegram.until(print, "ever", 2 ** 31 - 1).catch(() => {});
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    if (!line.startsWith("!")) {
      person.says(line);
      continue;
    }
    const label = line.slice(1);
    const message = person.chat.fromBot.findLast(({ buttons }) => buttons.flat().includes(label));
    if (message) person.taps(label, message);
    else console.log(`No message has a button ${label}`);
  }
  await telegram.close();
}
