// Package webhook tells backends what happens to channels: Pusher's webhooks.
//
// Hooks is the engine's Recorder. What is recorded goes through three hands:
//
//	Record  intake   what receivers were told, the grace of 3 s, one order; memory alone, never waits
//	  |
//	 50 ms  flush    per endpoint; one transaction holds what is to be delivered and what was told
//	  |
//	POST    sender   one for each endpoint: in order, one at a time, again until it is taken or given up
//
// Nothing is sent that is not committed, so what a receiver was not told yet
// survives the end of the process, however it ends; what a kill can take is what
// happened in the last 50 ms, and then the state that it changed is as it was too.
// Delivery is at least once: what was taken and not noted as taken when the process
// was killed is sent again. A POST that is tried again has the same body, byte for
// byte, as long as the process lives.
//
// # Goroutines and locks
//
// Hooks.Run is the flush, and starts one goroutine for each endpoint; all have ended
// when it returns. The intake has one lock, which Record takes under a channel's
// lock; under it nothing waits and nobody is called.
//
// Of ours the package may import broadcasting and its part apps alone. The Store is its own interface;
// who wires the program implements it.
package webhook
