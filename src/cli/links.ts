/** True for an argument that is a link of iovascope (docs/links.md), with the page's address or without. */
export function isLink(argument: string): boolean {
  return /^(?:(?:https?|file):\/\/[^#\s]*)?#(?:v\d+\.|sample=|lesson=)/.test(argument);
}
