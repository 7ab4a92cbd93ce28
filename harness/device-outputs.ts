/** Many inputs through one device at a serial port: the outputs of each, one after the other. */
import type { Board } from '../boards/schema.ts';
import { deviceFailure, inferOnDevice, requireIdentity } from './device-run.ts';
import type { SourceModel } from './model.ts';
import { DeviceClient } from './protocol/device-client.ts';
import { openSerial } from './protocol/serial-link.ts';

export interface DeviceOptions {
  readonly board: Board;
  /** Path of the serial port. */
  readonly port: string;
  readonly baud: number;
  readonly onProgress?: (done: number) => void;
}

/**
 * @param inputs bytes of the model's inputs, one entry per inference
 * @throws UserError: 2 another board or model answers, 3 no such port, 5 no answer, 7 it faulted
 */
export async function deviceOutputs(
  model: SourceModel,
  inputs: readonly (readonly Uint8Array[])[],
  { board, port, baud, onProgress = () => undefined }: DeviceOptions,
): Promise<Uint8Array[]> {
  const client = new DeviceClient(await openSerial(port, baud), { baud });
  try {
    requireIdentity(await client.identify(), board, model, port);
    const outputs: Uint8Array[] = [];
    for (const input of inputs) {
      outputs.push(Buffer.concat((await inferOnDevice(client, model.graph, input)).outputs));
      onProgress(outputs.length);
    }
    return outputs;
  } catch (error) {
    throw deviceFailure(error);
  } finally {
    await client.close();
  }
}
