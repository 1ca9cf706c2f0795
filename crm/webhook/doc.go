// Package webhook posts the events of the CRM to callback URLs: ChatApp's webhooks. It serves
// the webhooks of other dialects too, which are callback URLs with a crm.CallbackFormat.
//
// It reads the journal. Each URL has a cursor of its own there, the last event that is done
// with. Events go to a URL one at a time, in their order, until it has taken them:
//
//	journal  -->  Run: which URLs may want what is new?  -->  sender of a URL: next event, POST, cursor
//
// # What is kept
//
// The cursor and the log of attempts are stored together, after some events or a quarter of
// a second. A process that is killed in between leaves events that are posted again; none is
// left out. An event is read from the journal for each attempt, together with the URL: what
// was deleted, redacted or changed meanwhile counts.
//
// # Formats
//
// A format makes requests of an event: none, one or several, each of which is done with by
// itself, and says how they are tried again. The cursor names the list of requests in which it
// counts: when settings change, an event is another list, and all of it is posted. One that is not taken while others are is given up;
// an endpoint that takes nothing loses nothing. Events that are not in the journal are posted to
// such endpoints once, beside the others, by the process in which they happen.
//
// # Failures
//
// The next attempt at an event comes later each time. After circuitAfter failures in a row
// the circuit of the URL is open: one attempt in five minutes. After Options.SuspendAfter
// the URL is suspended, until somebody resumes it. What was removed from the journal before
// it was delivered is noted as a gap.
//
// A fixed number of POSTs run at once, and of one company only some. URLs whose last attempt
// failed, or that are slow, share a few of their own, so those that hang do not hold up the
// others. A place is taken before an event is read, so what waits is not in memory.
//
// # Many processes
//
// Of the processes that share a database, one has the right to deliver to a URL. It renews
// that right when a third of its time is over, and begins no POST when three fifths are, so
// that none is on its way when another process takes over. Each process looks once a second
// whether URLs were changed elsewhere; in its own process it is told.
//
// # Goroutines
//
// Hooks.Run has one goroutine, one for live events, and two for each URL while it has something to
// do: one for events of the journal, one for live ones. All of them have ended when it returns.
// Of chatcast's packages it may import only crm and channels/webpost.
package webhook
