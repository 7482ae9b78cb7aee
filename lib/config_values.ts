/** Parsers of single settings. A value that is not what a setting wants throws `Wanted`, which completes "wanted …". */
import { Cron } from "croner";
import { type Micros, parseUsd } from "./money.ts";

/** What a setting wants, in words that complete "NAME: wanted …, got …". */
export class Wanted extends Error {}

export function optional<T>(parse: (text: string) => T): (text: string) => T | null {
  return (text) => text === "" ? null : parse(text);
}

export function choice<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined) throw new Wanted(`one of ${values.filter((value) => value !== "").join(", ")}`);
    return found;
  };
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new Wanted(`a whole number from ${least} to ${most}`);
    return value;
  };
}

/** Seconds as people write them, decimals allowed; returns whole ms. */
export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new Wanted(`seconds from ${least} to ${most}`);
    return Math.round(value * 1000);
  };
}

export function dollars({ least }: { least: number }): (text: string) => Micros {
  return (text) => {
    const value = parseUsd(text);
    if (value === null || value < least) {
      throw new Wanted(`US dollars ${least > 0 ? "over 0" : "from 0 up"}, such as 0.30`);
    }
    return value;
  };
}

export function pricePair(text: string): { input: Micros; output: Micros } {
  const [input, output] = text.split("/").map((part) => parseUsd(part));
  if (input === null || output === null || input === undefined || output === undefined) {
    throw new Wanted("US dollars per million input and output tokens, such as 0.25/1.50");
  }
  return { input, output };
}

export function oneWord(text: string): string {
  if (!/^\S+$/.test(text)) throw new Wanted("one word without spaces");
  return text;
}

export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw new Wanted("an http or https address");
  return text.replace(/\/+$/, "");
}

export function postgresUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text) || !isDecodable(text)) {
    throw new Wanted("an address like postgres://user:password@host:5432/database");
  }
  return text;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function feedList(text: string): string[] {
  const feeds = splitList(text);
  const wrong = feeds.some((feed) => /^[a-z][a-z0-9+.-]*:/i.test(feed) && !/^https?:\/\/[^/]/i.test(feed));
  if (wrong) throw new Wanted("http or https addresses parted by commas");
  return feeds;
}

/** Names, `*.` before one for those under it, a port after it; `*` alone is any. */
export function hostList(text: string): string[] {
  const hosts = splitList(text.toLowerCase());
  const host = /^(?:\*|(?:\*\.)?[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d{1,5})?|\[[a-f\d:.]+\](?::\d{1,5})?)$/;
  if (hosts.some((part) => !host.test(part))) {
    throw new Wanted("host names parted by commas such as cdn.example or *.example.org, or *");
  }
  return hosts;
}

export function languageList(text: string): string[] {
  const codes = splitList(text.toLowerCase());
  if (codes.length === 0 || codes.some((code) => !/^[a-z]{2}$/.test(code))) {
    throw new Wanted("two-letter language codes parted by commas, such as en,de");
  }
  return codes;
}

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}

/** A cron expression of five fields, UTC; `off` is for those that may be left out. */
export function cronOrOff(text: string): string | null {
  if (text.toLowerCase() === "off") return null;
  const wanted = new Wanted("five cron fields in UTC such as 30 2 * * *, or off");
  if (text.trim().split(/\s+/).length !== 5) throw wanted;
  try {
    if (new Cron(text, { timezone: "UTC", paused: true }).nextRun() === null) throw wanted;
  } catch {
    throw wanted;
  }
  return text.trim();
}

/** Ids of people on Telegram; group chats have negative ones. */
export function userIds(text: string): number[] {
  return splitList(text).map((part) => {
    const id = /^[1-9]\d{0,15}$/.test(part) ? Number(part) : NaN;
    if (!Number.isSafeInteger(id)) {
      throw new Wanted("user ids (whole numbers, no @names) parted by commas");
    }
    return id;
  });
}

/** A chat, or one topic of a group that has topics. */
export interface ChatPlace {
  chat: number;
  topic: number | null;
}

export function chatPlaces(text: string): ChatPlace[] {
  return splitList(text).map((part) => {
    const match = /^(-?[1-9]\d{0,15})(?::([1-9]\d{0,9}))?$/.exec(part);
    const chat = Number(match?.[1]);
    if (!match || !Number.isSafeInteger(chat)) {
      throw new Wanted("chat ids such as -100123, or -100123:45 for a topic, parted by commas");
    }
    return { chat, topic: match[2] === undefined ? null : Number(match[2]) };
  });
}

export function botToken(text: string): string {
  if (!/^\d{1,15}:[\w-]{1,200}$/.test(text)) {
    throw new Wanted("a token such as 123456:ABC-def from @BotFather");
  }
  return text;
}

/** Telegram takes 1 to 256 of these characters; one that can be guessed lets strangers in. */
export function webhookSecret(text: string): string {
  if (!/^[\w-]{16,256}$/.test(text)) throw new Wanted("16 to 256 letters, digits, _ or -");
  return text;
}

/** Hours of a day, `22:00-07:00`, in minutes since midnight. */
export interface QuietHours {
  from: number;
  to: number;
}

export function quietHours(text: string): QuietHours {
  const match = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text);
  const [hours, minutes, toHours, toMinutes] = (match ?? []).slice(1).map(Number);
  const quiet = { from: hours * 60 + minutes, to: toHours * 60 + toMinutes };
  if (!match || hours > 23 || toHours > 23 || minutes > 59 || toMinutes > 59 || quiet.from === quiet.to) {
    throw new Wanted("two different times of day such as 22:00-07:00");
  }
  return quiet;
}

export function timeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new Wanted("a time zone such as UTC or Europe/Berlin");
  }
}

/** Characters of a token that nobody guesses within the rate limit. */
const SHORTEST_TOKEN = 16;

export function apiToken(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < SHORTEST_TOKEN) {
    throw new Wanted(`at least ${SHORTEST_TOKEN} letters, digits or signs without spaces`);
  }
  return text;
}
