/** Where a feed is, as it may be shown: addresses of private feeds hold the key that opens them. */

/** Parameters with such names are secrets, however short. */
const SECRET_NAME =
  /^(?:.*[_.-])?(?:api-?)?(?:key|token|secret|pass|password|pwd|auth|sig|signature|credentials?|jwt|session)$/i;
/** Longer values are taken for secrets whatever they are called. */
const LONGEST_SHOWN = 16;
/** Shorter ones, and those that may be a word, are not cut out of other texts: that would garble them. */
const SHORTEST_CUT = 8;

const CREDENTIALS = /^(https?:\/\/)[^/?#]*@/i;
const PARAMETER = /([?&;])([^=&;#]+)=([^&;#]*)/g;

/** The address without credentials and without the values that look like secrets; a path as it is. */
export function showLocation(location: string): string {
  if (!isAddress(location)) return location;
  return location.replace(CREDENTIALS, "$1").replaceAll(
    PARAMETER,
    (whole, mark, name, value) => isSecret(name, value) ? `${mark}${name}=…` : whole,
  );
}

/** A text that names the location, with the location as it may be shown. */
export function hideLocation(text: string, location: string): string {
  return text.replaceAll(location, showLocation(location));
}

/** The keys in an address, for the list of what must appear nowhere. */
export function secretsOfLocation(location: string): string[] {
  if (!isAddress(location)) return [];
  return [...location.matchAll(PARAMETER)].filter(([, , name, value]) => isSecret(name, value)).map(
    ([, , , value]) => value,
  ).filter((value) =>
    value.length >= SHORTEST_CUT && (/\d/.test(value) || /[a-z].*[A-Z]|[A-Z].*[a-z]/.test(value))
  );
}

function isAddress(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

function isSecret(name: string, value: string): boolean {
  return value !== "" && (SECRET_NAME.test(name) || value.length > LONGEST_SHOWN);
}
