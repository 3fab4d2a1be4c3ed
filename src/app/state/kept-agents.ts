// The agents that this tab is connected to, to reconnect after a reload. Their addresses contain tokens, so they are stored
// only for this tab, are deleted with it, and are never in the URL.

const KEY = 'iovascope-agents';

/** The addresses, as the agents printed them, in the order of connecting. Empty if storage is blocked. */
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
    // Not stored: the user has to connect again after a reload.
  }
}

export function keepAgent(address: string): void {
  keep([...keptAgents().filter((kept) => kept !== address), address]);
}

export function forgetAgent(address: string): void {
  keep(keptAgents().filter((kept) => kept !== address));
}
