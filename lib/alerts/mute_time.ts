/** "30m", "1h", "4h", "2d" or "morning", as people ask for quiet. */
import type { QuietHours } from "../config_values.ts";
import { nextMorning } from "./quiet_hours.ts";

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a mute's length wants, to complete "wanted …". */
export const MUTE_TIME = "minutes, hours or days such as 30m, 1h or 2d, or morning";

/** When the quiet ends; null when the text is none of these. `morning` is the end of the quiet hours, or 7:00. */
export function parseMuteTime(
  text: string,
  now: Date,
  { quietHours, timeZone }: { quietHours: QuietHours | null; timeZone: string },
): Date | null {
  const word = text.trim().toLowerCase();
  if (word === "morning") return nextMorning(now, quietHours, timeZone);
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(word) ?? [];
  if (!count || Number(count) === 0) return null;
  return new Date(now.getTime() + Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]);
}
