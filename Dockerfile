# docker build --build-arg VERSION=0.1.0 --build-arg COMMIT=$(git rev-parse --short=12 HEAD) -t chatcast .
# docs/deployment.md says how to run it; compose.yaml runs it with PostgreSQL and Caddy.

FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS console
WORKDIR /src
COPY .ci .ci
COPY server server
RUN CI=true .ci/console

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=console /src/server/console/dist server/console/dist
ARG VERSION=0.1.0 COMMIT=unknown TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
        -ldflags "-X main.version=$VERSION -X main.commit=$COMMIT" -o /out/chatcast ./cmd/chatcast && \
    mkdir /out/data

# static: certificates, time zones and a user 65532; no shell, no package manager.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/chatcast /usr/local/bin/chatcast
COPY LICENSE NOTICE /usr/share/doc/chatcast/
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
# In a container everything has an address of its own: others reach the program by the
# ports that are published, and the internal address stays inside.
ENV CHATCAST_SERVER_ADDRESS=0.0.0.0:6001 \
    CHATCAST_DATABASE_URL=sqlite:/data/chatcast.db \
    CHATCAST_FILES_DIR=/data/files
USER 65532:65532
VOLUME /data
EXPOSE 6001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/usr/local/bin/chatcast", "health"]
ENTRYPOINT ["/usr/local/bin/chatcast"]
CMD ["serve"]
