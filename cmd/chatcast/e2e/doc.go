// Package e2e starts the whole program for tests, and has the tools that they drive it
// with: clients of its routes, sockets, pages in Chromium, phones of the stand-in
// WhatsApp, and the built program in a process of its own. It is for tests alone.
//
// The tests are in packages below it, which run in parallel: program tests the program
// from outside, browser its channels in Chromium, console the console as people use it,
// kill the built program when it dies, cluster the built program on several nodes, bench how fast it is. Each has
//
//	func TestMain(m *testing.M) { e2e.Main(m) }
//
// With CHATCAST_TEST_LOG set, the program logs at debug.
package e2e
