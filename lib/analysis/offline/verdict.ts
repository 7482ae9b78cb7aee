/** Judging a claim against found sources by the words they share. */
import type { Source, Verdict } from "../schema.ts";
import { singular } from "./wink.ts";

/** Sources below this overlap do not speak of the claim. */
const RELATED_SHARE = 0.35;
/** Two sources, or one, have to share this much for the claim to count as reported elsewhere. */
const SUPPORTING_SHARE = 0.6;
const DENIALS = /\b(?:denied|denies|false|hoax|debunked|refuted|retracted|not true|incorrect|no evidence)\b/i;

/** Word overlap shows that others report the same, not that it is true; the reason says so. */
export function judgeClaim(claim: string, sources: readonly Source[]): Verdict {
  const wanted = termsOf(claim);
  if (sources.length === 0 || wanted.size === 0) {
    return { status: "INSUFFICIENT_DATA", reason: "No source to compare the claim with." };
  }
  const shares = sources.map((source) => ({ source, share: overlap(wanted, source) }));
  const related = shares.filter(({ share }) => share >= RELATED_SHARE);
  const supporting = related.filter(({ share }) => share >= SUPPORTING_SHARE);
  const denying = related.filter(({ source }) => DENIALS.test(`${source.title} ${source.excerpt}`));
  const counted = `${related.length} of ${sources.length} sources share the claim's terms`;
  if (related.length === 0) {
    return {
      status: "INSUFFICIENT_DATA",
      reason: `None of ${sources.length} sources speaks of the claim (by word overlap).`,
    };
  }
  if (denying.length > 0 && denying.length * 2 >= related.length) {
    return {
      status: "CONTRADICTED",
      reason: `${counted}, ${denying.length} with words of denial (by rule).`,
    };
  }
  return supporting.length > 0
    ? {
      status: "VALIDATED",
      reason: `${counted}, ${supporting.length} closely (by word overlap, not by meaning).`,
    }
    : { status: "INCONCLUSIVE", reason: `${counted}, none closely (by word overlap).` };
}

function overlap(wanted: ReadonlySet<string>, { title, excerpt }: Source): number {
  const present = termsOf(`${title} ${excerpt}`);
  let shared = 0;
  for (const term of wanted) if (present.has(term)) shared++;
  return shared / wanted.size;
}

/** Words of four letters on: shorter ones are mostly grammar. */
function termsOf(text: string): Set<string> {
  const words = text.toLowerCase().normalize("NFC").match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  return new Set(words.map(singular));
}
