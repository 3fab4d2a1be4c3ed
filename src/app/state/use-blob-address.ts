import { useEffect, useState } from 'react';

/** A URL for a blob while it is shown. */
export function useBlobAddress(data: Blob | undefined): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!data) {
      setAddress(undefined);
      return;
    }
    const made = URL.createObjectURL(data);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return address;
}
