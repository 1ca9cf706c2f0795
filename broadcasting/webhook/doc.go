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
// # Many processes
//
// Processes that share a Store lease apps from it. The unit is the app, because one
// process has to keep the order of an endpoint and to know what the app's receivers were
// told. The process with the lease sends everything of the app and tells who comes and
// goes in its channels, so every process has to record that for the whole cluster: when
// the lease moves, the next process tells from what it has recorded and from what the
// Store says was told. All other events are recorded once, by the process in which they
// happen, which queues them in the Store; the process with the lease looks there once
// a second.
//
// A lease lasts for DefaultLease and is renewed when a third of it is over. A process that
// could not renew it for three fifths of that time begins no POST, so none is on its way
// when another process takes the lease. Whatever comes late is refused by the Store with a
// LeaseError. An orderly end gives the leases back, and after a kill another process
// delivers when they are over.
//
// # Goroutines and locks
//
// Hooks.Run is the flush and looks after the leases. It starts one goroutine for each
// endpoint of a leased app; all have ended when it returns. The intake has one lock, which Record takes under a channel's
// lock; under it nothing waits and nobody is called.
//
// Of ours the package may import broadcasting and its part apps alone. The Store is its own interface;
// who wires the program implements it.
package webhook
