/** Names for addresses: words of a-z and 0-9 joined by hyphens, as the service demands. */

export const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const LONGEST = 64;

/** `Lavatrice (bagno)` becomes `lavatrice-bagno`; a number follows where that is taken. */
export function slugOf(name: string, taken: readonly string[]): string {
  const plain = name
    .replaceAll("ß", "ss")
    .replaceAll(/[øØ]/g, "o")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const base = (plain || "meter").slice(0, LONGEST - 4).replace(/-+$/, "");
  let slug = base;
  for (let count = 2; taken.includes(slug); count += 1) slug = `${base}-${String(count)}`;
  return slug;
}
