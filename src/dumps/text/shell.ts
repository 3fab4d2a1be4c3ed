// Shell prompts before a pasted command:
//
//   [user@host dir]# cmd      user@host:dir$ cmd      host:/dir$ cmd      host ~ # cmd
//   /dir # cmd                sh-5.1# cmd             # cmd   $ cmd   % cmd

export interface Prompt {
  /** The host, where a user's name stands before it: otherwise it may be something else. */
  readonly host?: string;
  /** The directory as the prompt shows it: a path, its last component, or `~`. */
  readonly directory?: string;
}

const PROMPTS: readonly RegExp[] = [
  /^\[[^\s@\]]{1,64}@(?<host>[^\s\]]{1,64}) (?<directory>[^\]]{1,200})\] ?[#$%](?: +(?<command>.*)|(?<tight>\S.*))?$/u,
  /^(?:\([\w. -]{1,40}\) ?)?[\w.-]{1,64}@(?<host>[\w.-]{1,64})[: ] ?(?<directory>[~/]?[^\s#$%]{0,200}) ?[#$%](?: +(?<command>.*))?$/u,
  /^[\w.-]{1,64}:(?<directory>[~/][^\s#$%]{0,200}) ?[#$%](?: +(?<command>.*))?$/u,
  /^[\w.-]{1,64} (?<directory>[~/][^\s#$%]{0,200}) [#$%](?: +(?<command>.*))?$/u,
  /^(?<directory>[~/][^\s#$%:]{0,200}) ?[#$%](?: +(?<command>.*))?$/u,
  /^(?:ba|da|a|k|z)?sh(?:-\d[\d.]{0,8})?[#$](?: +(?<command>.*))?$/u,
  /^(?:[#$%❯➜»]|# ?#)(?: +(?<command>\S.*))?$/u,
];

/** The prompt before a command and the command itself, or undefined if the line does not start with a prompt. */
export function splitPrompt(text: string): { prompt: Prompt; command: string } | undefined {
  if (!/[#$%❯➜»]/.test(text)) return undefined;
  for (const pattern of PROMPTS) {
    const groups = pattern.exec(text)?.groups ?? undefined;
    if (!groups && !pattern.test(text)) continue;
    const command = groups?.command ?? groups?.tight ?? '';
    const { directory, host } = groups ?? {};
    return { prompt: { ...(directory ? { directory } : {}), ...(host ? { host } : {}) }, command };
  }
  return undefined;
}
