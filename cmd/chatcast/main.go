// Command chatcast is the server.
package main

func main() {}
