package config

import "time"

// SocketIOConfig configures the connections of Socket.IO.
type SocketIOConfig struct {
	Recovery         bool     `yaml:"recovery"`        // clients that were cut off go on where they were
	PingInterval     Duration `yaml:"ping_interval"`   // from the answer to a ping to the next one
	PingTimeout      Duration `yaml:"ping_timeout"`    // for the answer
	ConnectTimeout   Duration `yaml:"connect_timeout"` // until a connection is in a namespace
	UpgradeTimeout   Duration `yaml:"upgrade_timeout"` // of a change from polling to a WebSocket
	PacketBytes      int      `yaml:"packet_bytes"`    // of one packet, and of one request of polling
	PacketsPerSecond int      `yaml:"packets_per_second"`
	PacketsBurst     int      `yaml:"packets_burst"`
	Namespaces       int      `yaml:"namespaces_per_connection"`
	NamespacesPerKey int      `yaml:"namespaces_per_key"` // on one node; 0: no limit
	Connections      int      `yaml:"connections"`        // on one node; 0: limits.apps.sockets
}

func defaultSocketIO() SocketIOConfig {
	return SocketIOConfig{
		Recovery:     true,
		PingInterval: Duration(25 * time.Second), PingTimeout: Duration(20 * time.Second),
		ConnectTimeout: Duration(45 * time.Second), UpgradeTimeout: Duration(10 * time.Second),
		PacketBytes: 1_000_000, PacketsPerSecond: 20, PacketsBurst: 100, Namespaces: 50, NamespacesPerKey: 1000,
	}
}

func checkSocketIO(c SocketIOConfig, violations *ConfigError) {
	for _, f := range []timeLimit{
		{"ping_interval", c.PingInterval, time.Second, time.Hour},
		{"ping_timeout", c.PingTimeout, time.Second, time.Hour},
		{"connect_timeout", c.ConnectTimeout, time.Second, time.Hour},
		{"upgrade_timeout", c.UpgradeTimeout, time.Second, time.Hour},
	} {
		f.check("socketio.", violations)
	}
	for _, f := range []limit{
		{"packet_bytes", c.PacketBytes, 16 << 10, 100 << 20}, // what clients send when they enter has room
		{"packets_per_second", c.PacketsPerSecond, 1, 100_000},
		{"packets_burst", c.PacketsBurst, 1, 100_000},
		{"namespaces_per_connection", c.Namespaces, 1, 10_000},
		{"namespaces_per_key", c.NamespacesPerKey, 0, maxLimit},
		{"connections", c.Connections, 0, maxLimit},
	} {
		f.check("socketio.", violations)
	}
}
