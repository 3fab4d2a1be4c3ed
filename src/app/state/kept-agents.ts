// The agents that this tab is connected to, so that it is again after a reload. Their addresses hold tokens: they are kept
// for this tab alone and forgotten with it, and never stand in the URL.

const KEY = 'iovascope-agents';

/** The addresses, as the agents printed them, in the order of connecting. Empty where storage is blocked. */
export function keptAgents(): string[] {
  try {
    return sessionStorage.getItem(KEY)?.split('\n').filter(Boolean) ?? [];
  } catch {
    // Blocked storage throws at the first access, even to `sessionStorage` itself.
    return [];
  }
}

function keep(addresses: readonly string[]): void {
  try {
    sessionStorage.setItem(KEY, addresses.join('\n'));
  } catch {
    // Not kept: after a reload the host has to be connected again.
  }
}

export function keepAgent(address: string): void {
  keep([...keptAgents().filter((kept) => kept !== address), address]);
}

export function forgetAgent(address: string): void {
  keep(keptAgents().filter((kept) => kept !== address));
}
