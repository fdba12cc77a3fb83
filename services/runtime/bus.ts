export type * from './bus/types.ts'
export { connectBus } from './bus/connect.ts'
