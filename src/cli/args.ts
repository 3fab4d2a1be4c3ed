import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parseKernelVersion } from '../kernel/versions.ts';

type ParseArgsOptionsConfig = NonNullable<ParseArgsConfig['options']>;

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true; args: string[] }>
>;

export type ArgsResult<O extends ParseArgsOptionsConfig> =
  | { readonly ok: true; readonly values: Parsed<O>['values']; readonly positionals: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** What is wrong with the value of `--kernel`; undefined if it is a version, or if the option is not given. */
export function kernelProblem(version: string | undefined): string | undefined {
  if (version === undefined) return undefined;
  // A letter directly behind the series is a slip (6.1x); a release may have a suffix behind its patch (uname -r).
  const isSlip = /^\D*\d+\.\d+[a-z_]/i.test(version);
  if (parseKernelVersion(version) && !isSlip) return undefined;
  return `--kernel '${version}': expected a version such as 6.1 or 6.12.42`;
}

/** Parses a command's arguments. An unknown option, or one without its value, is a message of one sentence. */
export function parseCommandArgs<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): ArgsResult<O> {
  try {
    const config = {
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    } as const satisfies ParseArgsConfig;
    const { values, positionals } = parseArgs(config);
    return { ok: true, values, positionals };
  } catch (error) {
    const isArgument =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
    if (!isArgument) throw error;
    // Node adds advice in more sentences.
    return { ok: false, message: (error.message.split(/\.\s|\n/)[0] ?? error.message).replace(/\.$/, '') };
  }
}
