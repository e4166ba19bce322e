# The program and the restic it was tested with, on a base without a shell.
#   make image                                with labels that say of which version, revision and time it is
#   docker build -t breaking-backups .        the same, of version "devel"; with buildx --platform linux/amd64,linux/arm64 both
# Bases are exact: what the digest names is taken, the tag is for people. renovate.json moves both. The first is Go 1.26.8.
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS build
ARG TARGETOS TARGETARCH
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOTOOLCHAIN=local
RUN mkdir -p /out/bin /out/backup

# restic changes seldom: its layer is kept while its pins stay the same. The tag is the one restic's releases have.
COPY testdata/tools/go.mod testdata/tools/go.sum testdata/tools/licences /src/testdata/tools/
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd /src/testdata/tools \
    && go build -trimpath -tags disable_grpc_modules -ldflags '-s -w' -o /out/bin/restic github.com/restic/restic/cmd/restic \
    && ./licences /out/licenses -tags disable_grpc_modules github.com/restic/restic/cmd/restic

WORKDIR /src
COPY . .
ARG VERSION=devel
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/bin/breaking-backups ./cmd/breaking-backups \
    && testdata/tools/licences /out/licenses ./cmd/breaking-backups

FROM gcr.io/distroless/static-debian12:nonroot@sha256:afa5c872c891853ca7fcf1f12c3edb23f7eeef36189728842dd51042ff57f7ab
# The root is read-only: what restic writes while it runs goes to /tmp, a tmpfs. /backup is for the spool and the
# log; a volume mounted there takes over its owner.
ENV TMPDIR=/tmp RESTIC_CACHE_DIR=/tmp/restic-cache
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build /out/licenses/ /usr/share/licenses/
COPY --from=build --chown=65532:65532 /out/backup /backup
# nonroot, by number: a name is more than Kubernetes can check for runAsNonRoot.
USER 65532:65532
# With HTTP_ADDR the program beside it is asked whether backups are fresh: a process of a moment, each minute. Without it
# nobody is, and the container is healthy as long as it runs. A backup is late by hours: three minutes more are nothing.
HEALTHCHECK --interval=1m --timeout=15s --start-period=2m --retries=3 CMD ["/usr/local/bin/breaking-backups", "healthcheck", "--if-served"]
ENTRYPOINT ["/usr/local/bin/breaking-backups"]
CMD ["start"]
# A label is no command's result: what only git and the clock know comes from whoever builds (make image). Without them
# it says that it is not known: "unknown", and of the time the first moment of Unix.
ARG VERSION=devel
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="breaking-backups" \
      org.opencontainers.image.description="Backs up PostgreSQL, MySQL, MariaDB and MongoDB into restic, and restores them" \
      org.opencontainers.image.documentation="https://github.com/breaking-backups/breaking-backups#readme" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="gcr.io/distroless/static-debian12:nonroot" \
      org.opencontainers.image.base.digest="sha256:afa5c872c891853ca7fcf1f12c3edb23f7eeef36189728842dd51042ff57f7ab" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/breaking-backups/breaking-backups"
