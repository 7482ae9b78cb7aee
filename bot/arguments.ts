/**
 * Reads what people type behind a command. What is wrong is told in one line with the right form. Phones write
 * typographic dashes and decimal commas, so these are taken too.
 */
import type { SessionRequest } from "../lib/desk.ts";
import { UsageError } from "../lib/errors.ts";
import { type Micros, parseUsd } from "../lib/money.ts";

export const FORMS = {
  start_batch:
    "/start_batch [articles] [budget], such as /start_batch 50 0.10, or limit=50 budget=0.10 model=… research=top",
  estimate: "/estimate [articles] [budget], such as /estimate 50 0.10",
  session: (command: string) => `/${command} [session], such as /${command} 12`,
  recover: "/recover [session] [budget], such as /recover 12 0.50, or /recover all",
  analysis: "/analysis <article>, such as /analysis 42",
  articles:
    "/articles, or /articles ready, too_short, empty, wrong_language, too_long, given_up, in_session, analyzed",
  cost: "/cost [days], 1 to 365, such as /cost 30",
  budget:
    "/budget, or /budget session 0.50, /budget session 12 0.50, /budget day 2, /budget day off, /budget day reset",
  mute: "/mute 1h, 4h or morning, for one kind /mute 4h stalled; /mute off ends all",
} as const;

const MAX_LIMIT = 1_000_000;

/** `50 0.10`, `0.10`, `limit=50 budget=$0.10 model=… research=top`, in any order. */
export function readSessionRequest(text: string, form: string): SessionRequest {
  const request: SessionRequest = {};
  for (const word of words(text)) {
    const [name, value] = splitNamed(word);
    if (name !== null && Object.hasOwn(request, name)) throw wrong(word, form, "it is given twice");
    switch (name) {
      case "limit":
        request.limit = wholeNumber(value, word, form, MAX_LIMIT);
        break;
      case "budget":
        request.budget = amount(value, word, form);
        break;
      case "model":
        if (!/^[\w./-]{1,100}$/.test(value)) throw wrong(word, form);
        request.model = value;
        break;
      case "research":
        if (value !== "off" && value !== "top" && value !== "all") throw wrong(word, form, "off, top or all");
        request.research = value;
        break;
      default:
        if (name !== null) throw wrong(word, form);
        readPositional(request, word, form);
    }
  }
  return request;
}

/** The first whole number is the articles; what comes after it, or looks like money, is the budget. */
function readPositional(request: SessionRequest, word: string, form: string): void {
  const isMoney = /^\$|[.,]/.test(word) || request.limit !== undefined;
  if (isMoney && request.budget === undefined) request.budget = amount(word, word, form);
  else if (!isMoney) request.limit = wholeNumber(word, word, form, MAX_LIMIT);
  else throw wrong(word, form, "the budget is given already");
}

/** A session's number, `12` or `#12`; null when nothing was typed. */
export function readSessionNumber(text: string, form: string): number | null {
  const [word, more] = words(text);
  if (word === undefined) return null;
  if (more !== undefined) throw wrong(more, form);
  return wholeNumber(word.replace(/^#/, ""), word, form, 2_147_483_647);
}

export interface RecoverWish {
  session: number | "all" | null;
  budget: Micros | null;
}

export function readRecover(text: string): RecoverWish {
  const form = FORMS.recover;
  const wish: RecoverWish = { session: null, budget: null };
  for (const word of words(text)) {
    const [name, value] = splitNamed(word);
    if (name !== null && name !== "budget") throw wrong(word, form);
    const first = wish.session === null && wish.budget === null;
    if (name === null && first && word.toLowerCase() === "all") wish.session = "all";
    else if (name === null && first && /^#?\d+$/.test(word)) wish.session = readSessionNumber(word, form);
    else if (wish.budget === null && wish.session !== "all") wish.budget = amount(value, word, form);
    else throw wrong(word, form);
  }
  return wish;
}

export function readArticleId(text: string): number {
  const [word, more] = words(text);
  if (word === undefined) throw new UsageError(`Which article? ${FORMS.analysis}`);
  if (more !== undefined) throw wrong(more, FORMS.analysis);
  return wholeNumber(word.replace(/^#/, ""), word, FORMS.analysis, Number.MAX_SAFE_INTEGER);
}

export function readDays(text: string, usual: number): number {
  const [word, more] = words(text);
  if (word === undefined) return usual;
  if (more !== undefined) throw wrong(more, FORMS.cost);
  return wholeNumber(word.replace(/d$/i, ""), word, FORMS.cost, 365);
}

export type BudgetWish =
  /** `number` null: the current one. */
  | { of: "session"; number: number | null; to: Micros }
  /** "configured": what the settings say. */
  | { of: "day"; to: Micros | null | "configured" };

/** Null: only look. */
export function readBudgetWish(text: string): BudgetWish | null {
  const [of, ...rest] = words(text).map((word) => word.toLowerCase());
  if (of === undefined) return null;
  const named = of === "session" && rest.length === 2 ? rest.shift() ?? null : null;
  const [to, more] = rest;
  if ((of !== "session" && of !== "day") || to === undefined || more !== undefined) {
    throw wrong(text.trim(), FORMS.budget);
  }
  if (of === "session") {
    const number = named === null ? null : readSessionNumber(named, FORMS.budget);
    return { of, number, to: amount(to, to, FORMS.budget) };
  }
  if (to === "off" || to === "none") return { of, to: null };
  if (to === "reset") return { of, to: "configured" };
  return { of, to: amount(to, to, FORMS.budget) };
}

export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function splitNamed(word: string): [name: string | null, value: string] {
  const match = /^(?:--|—|–)?([a-z_]+)[=:](.+)$/i.exec(word);
  return match ? [match[1].toLowerCase(), match[2]] : [null, word];
}

function wholeNumber(value: string, word: string, form: string, most: number): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  if (!(number >= 1 && number <= most)) {
    throw wrong(word, form, `a whole number from 1 to ${most.toLocaleString("en-US")}`);
  }
  return number;
}

function amount(value: string, word: string, form: string): Micros {
  const micros = parseUsd(value.replace(/^(\$?\d+),(\d+)$/, "$1.$2"));
  if (micros === null || micros === 0) throw wrong(word, form, "dollars over 0, such as 0.10");
  return micros;
}

/** @param wanted What stands in its place; the form alone says it otherwise. */
export function wrong(word: string, form: string, wanted?: string): UsageError {
  const shown = word.length > 40 ? `${[...word].slice(0, 39).join("")}…` : word;
  return new UsageError(`Cannot read “${shown}”${wanted ? ` (wanted: ${wanted})` : ""}. Right: ${form}`);
}
