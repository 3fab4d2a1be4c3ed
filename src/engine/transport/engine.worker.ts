import { createEngine } from '../engine.ts';
import { type ServicePort, serve } from './service.ts';

serve(self as unknown as ServicePort, createEngine());
