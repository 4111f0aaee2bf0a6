//! Keys issued and revoked over the API: what is written of it.

use super::*;
use switchyard_store::Store as _;

#[actix_web::test]
async fn who_issued_and_revoked_a_key_stands_in_the_audit_log() {
    let desk = Desk::new();
    let app = actix::init_service(App::new().app_data(web::Data::new(desk.api())).configure(configure)).await;
    let bearer = ("authorization", "Bearer sy_test_sandbox");
    let peer = "127.0.0.1:1".parse().unwrap();
    let ask = |request: TestRequest| request.insert_header(bearer).peer_addr(peer).to_request();
    let body = serde_json::json!({"scopes": ["payments:read"], "label": "till 4"});
    let issued = actix::call_service(&app, ask(TestRequest::post().uri("/v1/api_keys").set_json(&body))).await;
    assert_eq!(issued.status(), 201);
    let issued: serde_json::Value = actix::read_body_json(issued).await;
    let (id, secret) = (issued["id"].as_str().unwrap(), issued["secret"].as_str().unwrap());
    let path = format!("/v1/api_keys/{id}");
    for _ in 0..2 {
        let revoked = actix::call_service(&app, ask(TestRequest::delete().uri(&path))).await;
        assert_eq!(revoked.status(), 200);
    }
    let audit = desk.ledger.audit(9).await.unwrap();
    let lines: Vec<_> = audit.iter().map(|line| (line.action.as_str(), line.subject.as_str())).collect();
    assert_eq!(lines, [("key.revoked", id), ("key.issued", id)]);
    assert!(audit.iter().all(|line| line.actor == "key_00000000000000000000000000000000"));
    assert!(audit[1].detail.contains("payments:read") && !format!("{audit:?}").contains(secret));
}
