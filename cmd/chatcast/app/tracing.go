package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
)

// tracing follows events through the rooms, as spans of OpenTelemetry: the request, the
// change that it causes, the publish of each event, and its delivery to one socket. The
// rooms know none of it. A nil tracing follows nothing.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

var _ crm.Tracer = (*tracing)(nil)

// newTracing returns nil when tracing is off.
func newTracing(cfg config.TracingConfig, version string, log *slog.Logger) *tracing {
	if cfg.Endpoint == "" {
		return nil
	}
	// A stranger's request may continue a trace, but whether it is sampled is decided here.
	sampler := sdktrace.TraceIDRatioBased(1 / float64(cfg.OneIn))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(newExporter(cfg.Endpoint, log)),
		sdktrace.WithSampler(sdktrace.ParentBased(sampler, sdktrace.WithRemoteParentSampled(sampler), sdktrace.WithRemoteParentNotSampled(sampler))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "chatcast"), attribute.String("service.version", version),
		)),
	)
	return &tracing{provider: provider, tracer: provider.Tracer("chatcast")}
}

// ofRules returns t as the rules use it; nil when tracing is off.
func (t *tracing) ofRules() crm.Tracer {
	if t == nil {
		return nil
	}
	return t
}

// close sends what is left.
func (t *tracing) close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// request is a middleware: the span of a request, under its route.
func (t *tracing) request(c *gin.Context) {
	parent := propagation.TraceContext{}.Extract(c.Request.Context(), propagation.HeaderCarrier(c.Request.Header))
	ctx, span := t.tracer.Start(parent, c.Request.Method, trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
	route, status := c.FullPath(), c.Writer.Status()
	if route != "" {
		span.SetName(c.Request.Method + " " + route)
	}
	span.SetAttributes(attribute.String("http.request.method", c.Request.Method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= 500 {
		span.SetStatus(codes.Error, "")
	}
}

// Change implements crm.Tracer.
func (t *tracing) Change(ctx context.Context) (broadcasting.Trace, func([]string, error)) {
	_, span := t.tracer.Start(ctx, "change")
	at := span.SpanContext()
	var id broadcasting.Trace
	if at.IsSampled() {
		id = broadcasting.Trace{ID: at.TraceID(), Span: at.SpanID()}
	}
	return id, func(events []string, err error) {
		span.SetAttributes(attribute.StringSlice("chatcast.events", events))
		var refused *crm.Error
		if err != nil && !errors.As(err, &refused) {
			span.SetStatus(codes.Error, "the change failed")
		}
		span.End()
	}
}

// publishing wraps the relay's publish of an event to one channel.
func (t *tracing) publishing(publish func(context.Context, broadcasting.Event) error) func(context.Context, broadcasting.Event) error {
	if t == nil {
		return publish
	}
	return func(ctx context.Context, ev broadcasting.Event) error {
		parent, traced := parentOf(ctx, ev.Mark)
		if !traced {
			return publish(ctx, ev)
		}
		_, span := t.tracer.Start(parent, "publish "+ev.Name, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("chatcast.event", ev.Name), attribute.String("chatcast.channel", ev.Channel), attribute.Int64("chatcast.event_id", ev.Seq),
		))
		defer span.End()
		err := publish(ctx, ev)
		if err != nil {
			span.SetStatus(codes.Error, "the event was not published")
		}
		return err
	}
}

// delivered makes the span of a delivery, from the change until the frame was handed to
// the network.
func (t *tracing) delivered(mark *broadcasting.Mark) {
	if t == nil {
		return
	}
	if parent, traced := parentOf(context.Background(), mark); traced {
		_, span := t.tracer.Start(parent, "delivery", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(time.UnixMicro(mark.Committed)))
		span.End()
	}
}

// parentOf returns a context whose span is that of the mark's change.
func parentOf(ctx context.Context, mark *broadcasting.Mark) (parent context.Context, traced bool) {
	if mark == nil || mark.Trace == (broadcasting.Trace{}) {
		return ctx, false
	}
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: mark.Trace.ID, SpanID: mark.Trace.Span, TraceFlags: trace.FlagsSampled, Remote: true,
	})), true
}
