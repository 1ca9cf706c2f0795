// The snippets for Go: the events from the journal, and publishing from a backend.
import { tokenPlaceholder } from '../../handover';
import { words } from '../../words';
import { go } from './quote';
import type { Block, Facts } from './snippet';

export function goBlocks(f: Facts): Block[] {
  const w = words.connect.golang;
  return [
    { name: w.read, language: 'go', code: readCode(f), note: w.readNote },
    { name: w.publish, language: 'go', code: publishCode(f), note: w.publishNote },
  ];
}

function readCode(f: Facts): string {
  const c = words.connect.golang.code;
  return `// ${c.read}
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"time"
)

const (
	server  = ${go(f.at.url)}
	channel = ${go(f.channel)}
	token   = ${go(tokenPlaceholder)}
)

type page struct {
	Items []struct {
		ID    int64           \`json:"id"\`
		Event string          \`json:"event"\`
		Data  json.RawMessage \`json:"data"\`
	} \`json:"items"\`
	NextAfter int64 \`json:"nextAfter"\`
	LastID    int64 \`json:"lastId"\`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	now, _, err := read(ctx, url.Values{"limit": {"0"}})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening to %s", channel)
	for after := now.LastID; ctx.Err() == nil; {
		p, status, err := read(ctx, url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {"100"}, "wait": {"60"}})
		switch {
		case ctx.Err() != nil:
			return
		case status == http.StatusConflict: // ${c.forgotten}
			log.Print(err)
			after = 0
			continue
		case err != nil:
			log.Print(err)
			time.Sleep(2 * time.Second)
			continue
		}
		for _, e := range p.Items {
			fmt.Println(e.ID, e.Event, string(e.Data))
		}
		after = p.NextAfter // ${c.cursor}
	}
}

func read(ctx context.Context, query url.Values) (p page, status int, err error) {
	query.Set("channel", channel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/v1/events?"+query.Encode(), nil)
	if err != nil {
		return p, 0, err
	}
	request.Header.Set("Authorization", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return p, 0, err
	}
	defer response.Body.Close()
	answer := struct {
		Data  *page
		Error struct{ Message string }
	}{Data: &p}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return p, response.StatusCode, fmt.Errorf("%s: %w", response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return p, response.StatusCode, fmt.Errorf("%s: %s", response.Status, answer.Error.Message)
	}
	return p, response.StatusCode, nil
}
`;
}

function publishCode(f: Facts): string {
  const c = words.connect.golang.code;
  return `// ${c.publish}
package main

import (
	"log"
	"os"

	"github.com/pusher/pusher-http-go/v5"
)

func main() {
	client := pusher.Client{
		AppID:  "1", // ${c.appId}
		Key:    ${go(f.key)},
		Secret: os.Getenv("CHATCAST_SECRET"), // ${c.secret}
		Host:   ${go(`${f.at.host}:${f.at.port}`)},
		Secure: ${f.at.tls},
	}
	if err := client.Trigger("orders", "shipped", map[string]any{"order": 7}); err != nil {
		log.Fatal(err)
	}
}
`;
}
