package install

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const token = "of-this-test"

// startServer starts etcd and an API server, and returns how to reach the API server as an administrator.
func startServer(t *testing.T) *rest.Config {
	t.Helper()
	folder := t.TempDir()
	tokens := filepath.Join(folder, "tokens")
	if err := os.WriteFile(tokens, []byte(token+`,admin,admin,"system:masters"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, port, err := genericoptions.CreateListener("tcp", "127.0.0.1:0", net.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range s.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse([]string{
		"--etcd-servers=" + startEtcd(t, filepath.Join(folder, "etcd")),
		"--cert-dir=" + folder, "--bind-address=127.0.0.1", "--token-auth-file=" + tokens,
		"--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=RBAC", "--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc", "--api-audiences=kubernetes",
		"--service-account-key-file=" + signingKey(t, folder), "--service-account-signing-key-file=" + filepath.Join(folder, "signing.key"),
	}); err != nil {
		t.Fatal(err)
	}
	s.SecureServing.Listener, s.SecureServing.BindPort = listener, port
	ctx, cancel := context.WithCancel(context.Background())
	completed, err := s.Complete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, completed) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", port), BearerToken: token, QPS: 1000, Burst: 1000,
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(folder, "apiserver.crt"), ServerName: "kubernetes"},
	}
}

// startEtcd starts etcd with one member and returns its address.
func startEtcd(t *testing.T, folder string) string {
	t.Helper()
	c := embed.NewConfig()
	c.Dir, c.LogLevel = folder, "error"
	local := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c.ListenClientUrls, c.ListenPeerUrls = local, local
	server, err := embed.StartEtcd(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("etcd is not ready after a minute")
	}
	return "http://" + server.Clients[0].Addr().String()
}
