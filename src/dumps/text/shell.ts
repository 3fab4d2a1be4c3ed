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

/** What programs and kernels print begins like this; a command does not. */
const OUTPUT: readonly RegExp[] = [
  // The stamp of a kernel, with or without a priority; a date; Xen.
  /^(?:<\d{1,3}>)?\[ {0,10}\+?\d{1,10}[.,]\d{1,9}\]/,
  /^\[[^\]]{0,24}\d{1,2}:\d{2}(?::\d{2})?[^\]]{0,24}\] /,
  /^\(XEN\) /,
  /^(?:\p{L}{2,9}\.? {1,2}\d{1,2}|\d{4}-\d{2}-\d{2}[T ])\S{0,8}\d{1,2}:\d{2}:\d{2}/u,
  // Numbers, ranges, devices.
  /^0x[0-9a-f]/i,
  /^[0-9a-f]{8,16}-[0-9a-f]{8,16}\b/i,
  /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /i,
  // `DMAR: …`, `vfio-pci 0000:02:00.0: …`, `4711@17.5:region_add …`; not `FOO=1 command`.
  /^(?!tracer: |[\w.-]{1,60}=)[\w.-]{1,60}(?:\[\d{1,10}\])?: (?!=)/,
  /^[\w-]{1,40} [\w.:@-]{1,60}: /,
  /^\d{1,10}@\d{1,12}\.\d{1,9}:/,
  /^(?:(?:vfio|iommufd|virtio_iommu|vhost_vdpa|vtd|smmu(?:v3)?|amdvi|riscv_iommu|vfu|dma)_\w{1,60}|region_(?:add|del)) {1,2}\S/,
  // Rows of /proc/cpuinfo, events of a trace.
  /^[a-z][a-z ]{1,20}\t: \S/,
  /^\S{1,40}-\d{1,10} {1,12}(?:\(.{1,10}\) {1,4})?\[\d{3}\] /,
  /^==> .{1,300} <==$/,
  /^Region \d{1,2}: |^Memory at [0-9a-f]|^FlatView #\d|^Root memory region: |^IOMMU Group \d|^Device [0-9a-f:.]{7,12} /,
];

/** What lines of dumps begin with, and neither commands nor settings. */
const TYPICAL =
  /^[\s>|]{0,40}(?:(?:<\d{1,3}>)?\[ {0,10}\+?\d{1,10}[.,]\d|\(XEN\) |0x[0-9a-f]{4}|[0-9a-f]{8,16}[-: ]|(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b|\d{1,10}@\d{1,12}\.\d|\p{L}{3} [ \d]\d \d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:|Linux version \d|Command line: |\/sys\/|IOMMU: dmar|Intel ACPI Component|FlatView #|AS "|address-space: |memory-region: |Root memory region: |DMAR: |AMD-Vi: |arm-smmu|pci 0|vfio|iommu|qemu-(?:system|kvm)[\w-]{0,40}: |\[[0-9a-f]{3}h |<(?:domain|device|hostdev|devices)\b|IOMMU Group \d|Region \d: |Memory at |-\[0000:|[^\s[]{1,40} +\[\d{3}\] )/iu;

/** True if a line certainly is one of a dump. */
export function isTypical(text: string): boolean {
  return TYPICAL.test(text);
}

/** True if a line is one that programs print, and people do not type. */
export function isPrinted(text: string): boolean {
  const bare = text.trim();
  return (
    isTypical(text) ||
    OUTPUT.some((pattern) => pattern.test(bare)) ||
    /^(?:<\/?[a-z]|[0-9a-f]{2}(?: [0-9a-f]{2}){7})/i.test(bare)
  );
}

/** The mark of a comment, and what is indented behind it. The headings of traces are comments themselves. */
const COMMENTED =
  /^#(?:\t|[ \t]{2,})(?:[A-Z][\w /()-]{1,40}: ?\S|(?:\[virtual\] )?(?:Expansion ROM|Memory) at |AS "|[0-9a-f]{8,16}-[0-9a-f]{8})/;

/**
 * What is behind a prompt in `text` if it is no command but something that was printed there. `command`: as `splitPrompt`
 * found it.
 */
export function outputBehind(text: string, command: string): string | undefined {
  if (COMMENTED.test(text)) return text.slice(text.startsWith('#\t') ? 1 : 2);
  if (command === '' || !OUTPUT.some((pattern) => pattern.test(command))) return undefined;
  // Behind the mark of a comment, blanks are the indentation of what it comments out.
  const at = text.lastIndexOf(command);
  const blanks = /[ \t]*$/.exec(text.slice(0, at))?.[0].length ?? 0;
  return text.slice(at - Math.max(0, blanks - 1));
}
