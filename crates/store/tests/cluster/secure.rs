//! Over TLS with certificates on both sides, and with users.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rein_store::{Commit, EtcdOptions, EtcdStore, EtcdTls, Key, Store, StoreError};

use crate::cluster::{Etcd, Sync, open, program};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key.
    fn signs(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (params.signed_by(&key, &self.issuer).expect("a certificate").pem(), key.serialize_pem())
    }
}

async fn add_users(options: &EtcdOptions) {
    let tls = options.tls.as_ref().expect("TLS");
    let (cert, key) = tls.identity.as_ref().expect("a certificate");
    let config = etcd_client::TlsOptions::new()
        .ca_certificate(etcd_client::Certificate::from_pem(&tls.ca))
        .identity(etcd_client::Identity::from_pem(cert, key));
    let address = format!("https://{}", options.endpoints[0]);
    let connect = etcd_client::ConnectOptions::new().with_tls(config);
    let mut root = etcd_client::Client::connect([address], Some(connect)).await.expect("a client");
    let mine = etcd_client::Permission::read_write("rein/").with_prefix();
    root.user_add("root", "r00t", None).await.expect("root");
    root.user_grant_role("root", "root").await.expect("root's role");
    root.role_add("rein").await.expect("a role");
    root.role_grant_permission("rein", mine).await.expect("its rights");
    root.user_add("rein", "secret", None).await.expect("a user");
    root.user_grant_role("rein", "rein").await.expect("the user's role");
    root.auth_enable().await.expect("users from now on");
}

/// A user with rights to the prefix alone is enough; everybody else is told that they may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_gets_in() {
    let Some(program) = program() else { return };
    let (ours, theirs) = (Authority::new(), Authority::new());
    let files = tempfile::tempdir().expect("a directory");
    let (cert, key) = ours.signs("127.0.0.1");
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let args = [
        format!("--cert-file={}", file("cert", &cert)),
        format!("--key-file={}", file("key", &key)),
        format!("--trusted-ca-file={}", file("ca", &ours.pem)),
        "--client-cert-auth".to_owned(),
    ];
    let etcd = Etcd::start(program, 1, Sync::No, &args.each_ref().map(String::as_str));
    let tls = |ca: &Authority, by: &Authority| {
        let (cert, key) = by.signs("client");
        Some(EtcdTls { ca: ca.pem.clone().into(), identity: Some((cert.into(), key.into())), domain: None })
    };
    let plain = EtcdOptions { tls: tls(&ours, &ours), ..etcd.options() };
    open(plain.clone()).await.close().await;
    add_users(&plain).await;

    let user = |name: &str, word: &str| Some((name.to_owned(), word.to_owned()));
    let good = EtcdOptions { user: user("rein", "secret"), ..plain.clone() };
    let store = EtcdStore::open(good.clone()).await.expect("a user that may");
    let lease = store.lease(rein_store::MIN_TTL * 5).await.expect("a lease");
    store.commit(Commit::new().put_leased("k", "v", lease)).await.expect("a commit");
    let mut batches = store.watch(&Key::from("k"), rein_store::Revision::ZERO).await.expect("a watch");
    let batch = futures::StreamExt::next(&mut batches).await.expect("a batch").expect("no error");
    assert_eq!(batch.events.len(), 1);

    let other = EtcdOptions { prefix: "others/".into(), ..good.clone() };
    for (what, options) in [
        ("nobody", plain.clone()),
        ("a wrong password", EtcdOptions { user: user("rein", "wrong"), ..plain.clone() }),
        ("another's prefix", other),
        ("etcd's certificate by somebody else", EtcdOptions { tls: tls(&theirs, &ours), ..good.clone() }),
        ("a certificate by somebody else", EtcdOptions { tls: tls(&ours, &theirs), ..good.clone() }),
        ("plain text", EtcdOptions { tls: None, ..good.clone() }),
    ] {
        let options = EtcdOptions { timeout: std::time::Duration::from_millis(700), ..options };
        match EtcdStore::open(options).await {
            Err(StoreError::Unavailable(why)) => assert!(!why.contains("secret"), "{what}: {why}"),
            Err(error) => panic!("{what}: {error}"),
            Ok(_) => panic!("{what} got in"),
        }
    }
}
