// Package embed has the part of etcd's package of this name that the storage tests of k8s.io/apiserver use. It runs no
// server in the process of the test: it starts the program that ETCD_PROGRAM names, with flags made from the
// configuration that the test asks for.
package embed

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.uber.org/zap"
)

// ZapLoggerBuilder would make the server's logger. The program writes its log into a file.
type ZapLoggerBuilder func(*Config) error

// NewZapLoggerBuilder makes one that does nothing.
func NewZapLoggerBuilder(*zap.Logger) ZapLoggerBuilder {
	return func(*Config) error { return nil }
}

// Config is how a server is to be started.
type Config struct {
	Name                        string
	Dir                         string
	ListenClientUrls            []url.URL
	AdvertiseClientUrls         []url.URL
	ListenPeerUrls              []url.URL
	AdvertisePeerUrls           []url.URL
	InitialCluster              string
	ClientTLSInfo               transport.TLSInfo
	UnsafeNoFsync               bool
	MaxRequestBytes             uint
	QuotaBackendBytes           int64
	WatchProgressNotifyInterval time.Duration
	ZapLoggerBuilder            ZapLoggerBuilder
}

// NewConfig has etcd's defaults for what is not about addresses.
func NewConfig() *Config {
	return &Config{
		Name:                        "default",
		MaxRequestBytes:             1536 * 1024,
		WatchProgressNotifyInterval: 10 * time.Minute,
	}
}

// InitialClusterFromName is the cluster that has this member only.
func (c *Config) InitialClusterFromName(name string) string {
	return name + "=" + joined(c.AdvertisePeerUrls)
}

func (c *Config) flags() []string {
	flags := []string{
		"--name=" + c.Name,
		"--data-dir=" + filepath.Join(c.Dir, "data"),
		"--listen-client-urls=" + joined(c.ListenClientUrls),
		"--advertise-client-urls=" + joined(c.AdvertiseClientUrls),
		"--listen-peer-urls=" + joined(c.ListenPeerUrls),
		"--initial-advertise-peer-urls=" + joined(c.AdvertisePeerUrls),
		"--initial-cluster=" + c.InitialCluster,
		fmt.Sprintf("--unsafe-no-fsync=%t", c.UnsafeNoFsync),
		fmt.Sprintf("--watch-progress-notify-interval=%s", c.WatchProgressNotifyInterval),
		fmt.Sprintf("--max-request-bytes=%d", c.MaxRequestBytes),
		fmt.Sprintf("--quota-backend-bytes=%d", c.QuotaBackendBytes),
	}
	if tls := c.ClientTLSInfo; !tls.Empty() {
		flags = append(flags, "--cert-file="+tls.CertFile, "--key-file="+tls.KeyFile)
		if tls.TrustedCAFile != "" {
			flags = append(flags, "--trusted-ca-file="+tls.TrustedCAFile)
		}
	}
	return flags
}

func joined(urls []url.URL) string {
	list := make([]string, len(urls))
	for i, u := range urls {
		list[i] = u.String()
	}
	return strings.Join(list, ",")
}

// Etcd is a running server.
type Etcd struct {
	Server  *Server
	process *exec.Cmd
	log     *os.File
	failed  chan error
	closing chan struct{}
	ended   chan struct{}
}

// Server says when it serves, and where.
type Server struct {
	etcd  *Etcd
	urls  []string
	ready chan struct{}
}

// StartEtcd starts the program.
func StartEtcd(config *Config) (*Etcd, error) {
	program := os.Getenv("ETCD_PROGRAM")
	if program == "" {
		return nil, errors.New("ETCD_PROGRAM does not name a program")
	}
	log, err := os.Create(filepath.Join(config.Dir, "log"))
	if err != nil {
		return nil, err
	}
	process := exec.Command(program, config.flags()...)
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		return nil, err
	}
	etcd := &Etcd{
		process: process,
		log:     log,
		failed:  make(chan error, 1),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	etcd.Server = &Server{
		etcd:  etcd,
		urls:  strings.Split(joined(config.AdvertiseClientUrls), ","),
		ready: make(chan struct{}),
	}
	go etcd.wait()
	go etcd.watchLog()
	return etcd, nil
}

// wait tells Err if the program ends before it was asked to.
func (e *Etcd) wait() {
	err := e.process.Wait()
	select {
	case <-e.closing:
	default:
		text, _ := os.ReadFile(e.log.Name())
		e.failed <- fmt.Errorf("the server ended by itself (%v):\n%s", err, text)
	}
	close(e.ended)
	close(e.failed)
}

// watchLog finds out that the server serves by what it logs: asking it would be a request the tests did not make.
func (e *Etcd) watchLog() {
	for {
		text, _ := os.ReadFile(e.log.Name())
		if strings.Contains(string(text), "ready to serve client requests") {
			close(e.Server.ready)
			return
		}
		select {
		case <-e.ended:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close kills the program: nobody will want its data.
func (e *Etcd) Close() {
	select {
	case <-e.closing:
		return
	default:
	}
	close(e.closing)
	_ = e.process.Process.Kill()
	<-e.ended
	e.log.Close()
}

// Err tells why the server ended, if nobody closed it; it is closed with the server.
func (e *Etcd) Err() <-chan error { return e.failed }

// ReadyNotify is closed when the server serves.
func (s *Server) ReadyNotify() <-chan struct{} { return s.ready }

// Stop is Close.
func (s *Server) Stop() { s.etcd.Close() }

// Cluster knows the server's addresses.
func (s *Server) Cluster() *Server { return s }

// ClientURLs are where clients find it.
func (s *Server) ClientURLs() []string { return s.urls }
