// A client of Socket.IO for the tests, with the library of Go. Its arguments are the server, the
// namespace, how it gives its key (auth, query or header), the key, and a transport or "upgrade". It
// prints what happens, a JSON array a line. A line of its standard input is the argument of
// send_message, whose acknowledgement it prints. It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/zishang520/socket.io/clients/engine/v3/transports"
	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

var printing sync.Mutex

func say(what ...any) {
	line, err := json.Marshal(what)
	if err != nil {
		line = []byte(fmt.Sprintf("[\"error\",%q]", err.Error()))
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

func main() {
	server, namespace, place, key, transport := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	options := socket.DefaultOptions()
	options.SetReconnection(false)
	switch transport {
	case "websocket":
		options.SetTransports(types.NewSet(transports.WebSocket))
	case "polling":
		options.SetTransports(types.NewSet(transports.Polling))
	default:
		options.SetTransports(types.NewSet(transports.Polling, transports.WebSocket))
	}
	switch place {
	case "auth":
		options.SetAuth(map[string]any{"apikey": key})
	case "query":
		options.SetQuery(map[string][]string{"apikey": {key}})
	case "header":
		options.SetExtraHeaders(http.Header{"Apikey": {key}})
	}
	client, err := socket.Connect(server+namespace, options)
	if err != nil {
		say("error", err.Error())
		os.Exit(1)
	}
	_ = client.On("connect", func(...any) { say("connect") })
	_ = client.On("disconnect", func(args ...any) { say("disconnect", args[0]) })
	_ = client.On("connect_error", func(args ...any) { say("connect_error", fmt.Sprint(args[0])) })
	client.OnAny(func(args ...any) { say(append([]any{"event"}, args...)...) })
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var argument any
		if err := json.Unmarshal(lines.Bytes(), &argument); err != nil {
			say("error", err.Error())
			continue
		}
		client.EmitWithAck("send_message", argument)(func(args []any, err error) {
			if err != nil {
				say("ack", err.Error())
				return
			}
			say(append([]any{"ack"}, args...)...)
		})
	}
	client.Disconnect()
}
