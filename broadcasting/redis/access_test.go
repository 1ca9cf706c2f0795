package redis_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/redis"
	"chatcast/broadcasting/redis/redistest"
)

// rights are those that docs/scaling.md names for a user of chatcast.
var rights = []string{"~chatcast:*", "&chatcast:*", "+@connection", "+@read", "+@write", "+@pubsub", "+@scripting", "+time", "+cluster|slots", "+cluster|shards"}

// TestUser tests that a user with only the rights of the manual can connect nodes, that
// another cannot, and that no password is shown.
func TestUser(t *testing.T) {
	s := redistest.Start(t)
	s.Do(append([]string{"ACL", "SETUSER", "chatcast", "on", ">s3cret-word"}, rights...)...)
	s.Do(append([]string{"ACL", "SETUSER", "deaf", "on", ">s3cret-word", "resetchannels"}, rights[2:]...)...)
	s.Do("ACL", "SETUSER", "default", "off")
	var log bytes.Buffer
	o := redis.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for user, wants := range map[string]string{"deaf:s3cret-word": "NOPERM", "chatcast:s3cret-wrong": "WRONGPASS", "": "NOAUTH"} {
		o.URL = "redis://" + user + "@" + s.Addr()
		n, err := redis.Open(t.Context(), o)
		if err == nil {
			t.Errorf("%s: it connects", user)
			_ = n.Close()
			continue
		}
		if text := err.Error(); !strings.Contains(text, wants) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %v", user, err)
		}
	}
	o.URL = "redis://chatcast:s3cret-word@" + s.Addr()
	var nodes []*clustertest.Node
	for _, n := range open(t, 2, o) {
		nodes = append(nodes, clustertest.Start(t, n))
		n.Broker().Interest("1", "news", true)
	}
	works(t, nodes, "user")
	if err := publish(t, nodes[0], "x"); err != nil {
		t.Error(err)
	}
	if err := nodes[0].Broker().RemoveApp(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	for _, n := range nodes {
		n.Stop()
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Errorf("the log shows a password:\n%s", log.String())
	}
}

// TestTLS tests that nodes speak TLS and check the certificate.
func TestTLS(t *testing.T) {
	s, ca := redistest.StartTLS(t)
	o := redis.Options{URL: "rediss://" + s.Addr(), Log: slog.New(slog.DiscardHandler)}
	if n, err := redis.Open(t.Context(), o); err == nil {
		t.Error("a certificate of an unknown authority is taken")
		_ = n.Close()
	} else if !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the error is %v", err)
	}
	var nodes []*clustertest.Node
	for _, more := range []string{"?ca_file=" + ca, "?skip_verify=true"} {
		n := open(t, 1, redis.Options{URL: o.URL + more})[0]
		nodes = append(nodes, clustertest.Start(t, n))
		n.Broker().Interest("1", "news", true)
	}
	works(t, nodes, "tls")
}

// TestPrefixes tests that clusters with other prefixes or databases on one Redis do not hear
// each other.
func TestPrefixes(t *testing.T) {
	s := redistest.Start(t)
	var nodes []*clustertest.Node
	for _, more := range []string{"", "/1", "?prefix=other"} {
		nodes = append(nodes, clustertest.Start(t, open(t, 1, redis.Options{URL: s.URL() + more})[0]))
	}
	for i, n := range nodes {
		if answers, err := n.Control().Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderAppsChanged}, nil); err != nil || len(answers) > 0 {
			t.Errorf("%d: %v, %v", i, answers, err)
		}
		if count := n.Stats().Nodes; count != 1 {
			t.Errorf("%d sees %d nodes", i, count)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for url, wants := range map[string]string{
		"redis://h": "", "rediss://u:p@h:6380/2": "", "valkey://h": "", "unix:///run/redis.sock?db=1": "",
		"redis://h?master_set=m&addr=b:26379&sentinel_password=x": "", "redis://h?prefix=staging": "",
		"http://h": "must be a valid URL", "redis://h:secret-port/": "must be a valid URL", "redis://h/abc": "database",
		"redis://h/-1": "database", "redis://h?db=abc": "database", "redis://h?nope=secret": `unknown parameter "nope"`,
		"redis://h?dial_timeout=secret": "dial_timeout", "rediss://h?skip_verify=secret": "skip_verify",
		"redis://h?ca_file=/x": "needs rediss://", "rediss://h?ca_file=/does/not/exist": "ca_file", "redis://h?prefix=a*": "prefix",
		"redis://h?sentinel_password=secret": "no master_set", "redis://u:secret@h?a=%zz": "not valid",
	} {
		err := redis.CheckURL(url)
		switch {
		case wants == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case wants != "" && (err == nil || !strings.Contains(err.Error(), wants) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: %v, want %q", url, err, wants)
		}
	}
}

// Nodes that cannot hear each other have different names, and those that may have the same.
func TestName(t *testing.T) {
	const name = "redis://user:hidden@a:6379/0"
	for url, same := range map[string]bool{
		"redis://b:6380": true, "rediss://other:password@a:6379/0": true, "redis://b:26379?master_set=x": true,
		"redis://user:hidden@a:6379/1": false, name + "?prefix=p": false,
	} {
		if got := redis.Name(url) == redis.Name(name); got != same {
			t.Errorf("%s has the name of %s: %t, want %t", url, name, got, same)
		}
	}
	if got := redis.Name(name); strings.Contains(got, "hidden") {
		t.Errorf("the name %q holds the password", got)
	}
}
