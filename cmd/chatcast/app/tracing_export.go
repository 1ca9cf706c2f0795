package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// exporter sends spans to a collector: OTLP over HTTP, as JSON. The SDK calls it with up
// to 512 spans at a time, from one goroutine. What the collector does not take is lost:
// traces are samples. It is ours because the SDK's own exporter brings gRPC into the
// program, see docs/decisions/0127-tracing.md.
type exporter struct {
	// static
	endpoint string
	client   *http.Client
	log      *slog.Logger

	mu     sync.Mutex
	warned time.Time // of the last failure; guarded by mu
}

var _ sdktrace.SpanExporter = (*exporter)(nil)

const (
	exportTime  = 10 * time.Second
	warnedEvery = time.Minute
)

func newExporter(endpoint string, log *slog.Logger) *exporter {
	return &exporter{endpoint: endpoint, log: log, client: &http.Client{
		Timeout: exportTime,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ExportSpans implements sdktrace.SpanExporter.
func (x *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	if err := x.post(ctx, spans); err != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		if now := time.Now(); now.Sub(x.warned) >= warnedEvery {
			x.warned = now
			x.log.WarnContext(ctx, "traces are lost: the collector does not take them", "endpoint", x.endpoint, "spans", len(spans), "error", err)
		}
	}
	return nil // it is logged; the SDK would write to the standard error
}

func (x *exporter) post(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := json.Marshal(otlpRequest(spans))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := x.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (x *exporter) Shutdown(context.Context) error {
	x.client.CloseIdleConnections()
	return nil
}

// The types below are the JSON of OTLP.
type (
	otlpExport struct {
		ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
	}
	otlpResourceSpans struct {
		Resource   otlpAttributes   `json:"resource"`
		ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScopeSpans struct {
		Scope otlpScope  `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpScope struct {
		Name string `json:"name"`
	}
	otlpSpan struct {
		TraceID      string          `json:"traceId"` // hex
		SpanID       string          `json:"spanId"`  // hex
		ParentSpanID string          `json:"parentSpanId,omitempty"`
		Name         string          `json:"name"`
		Kind         trace.SpanKind  `json:"kind"`
		Start        string          `json:"startTimeUnixNano"`
		End          string          `json:"endTimeUnixNano"`
		Attributes   []otlpAttribute `json:"attributes,omitempty"`
		Status       *otlpStatus     `json:"status,omitempty"`
	}
	otlpStatus struct {
		Code    int    `json:"code"`
		Message string `json:"message,omitempty"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		String *string    `json:"stringValue,omitempty"`
		Int    *string    `json:"intValue,omitempty"` // 64 bits do not fit into JSON's numbers
		Array  *otlpArray `json:"arrayValue,omitempty"`
	}
	otlpArray struct {
		Values []otlpValue `json:"values"`
	}
)

// otlpError is the code of a status in OTLP; the SDK's own differs.
const otlpError = 2

func otlpRequest(spans []sdktrace.ReadOnlySpan) otlpExport {
	list := make([]otlpSpan, len(spans))
	for i, s := range spans {
		id, parent := s.SpanContext(), s.Parent().SpanID()
		traceID, spanID := id.TraceID(), id.SpanID()
		list[i] = otlpSpan{
			TraceID: hex.EncodeToString(traceID[:]), SpanID: hex.EncodeToString(spanID[:]), Name: s.Name(), Kind: s.SpanKind(),
			Start: strconv.FormatInt(s.StartTime().UnixNano(), 10), End: strconv.FormatInt(s.EndTime().UnixNano(), 10),
			Attributes: otlpAttributesOf(s.Attributes()),
		}
		if parent.IsValid() {
			list[i].ParentSpanID = hex.EncodeToString(parent[:])
		}
		if st := s.Status(); st.Code == codes.Error {
			list[i].Status = &otlpStatus{otlpError, st.Description}
		}
	}
	return otlpExport{[]otlpResourceSpans{{
		Resource:   otlpAttributes{otlpAttributesOf(spans[0].Resource().Attributes())},
		ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{spans[0].InstrumentationScope().Name}, Spans: list}},
	}}}
}

func otlpAttributesOf(list []attribute.KeyValue) []otlpAttribute {
	all := make([]otlpAttribute, len(list))
	for i, kv := range list {
		all[i] = otlpAttribute{string(kv.Key), otlpValueOf(kv.Value)}
	}
	return all
}

// otlpValueOf converts a value of a type that tracing.go uses; others become texts.
func otlpValueOf(v attribute.Value) otlpValue {
	text := func(s string) otlpValue { return otlpValue{String: &s} }
	switch v.Type() {
	case attribute.INT64:
		n := strconv.FormatInt(v.AsInt64(), 10)
		return otlpValue{Int: &n}
	case attribute.STRINGSLICE:
		array := &otlpArray{Values: []otlpValue{}}
		for _, s := range v.AsStringSlice() {
			array.Values = append(array.Values, text(s))
		}
		return otlpValue{Array: array}
	}
	return text(v.String())
}
