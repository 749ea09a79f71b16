import http.client, json
from urllib.parse import quote, urlencode
import pytest
from tests.access.people import World
from tests.access import table
from tests.access.sending import Knocker, snapshot, rehearsing, _forms
from tests.access.test_methods import writes

NASTY=["", " ", "\0", "a\0b", "a\x07b", "\ud800", "\u202e evil", "x"*30000, "NaN", "1e400", "-1", "0", "9"*20, "9"*5000, "99999999999", "1.5", "true", "[]", "{}", "9007199254740991", "9007199254740992", "é"*3, "\r\n\r\n", "<script>alert(1)</script>", "' OR 1=1 --", "\ufeff", "\u2028", "٣"]

def test_probe(world: World, knocker: Knocker) -> None:
    out=[]; n=0
    who_for={"POST /teams/{key}/policy":"manager","POST /invitations/{invitation:int}/acceptance":"invited","POST /invitations/{invitation:int}/refusal":"invited"}
    before=snapshot(world)
    with rehearsing(world) as r:
        r.on=True
        for door,who,ticket in writes():
            who=who_for.get(door,who)
            path=door.split()[1]; lane=door.partition("lane=")[2]
            form=dict(_forms(world,path,ticket,lane))
            addr=knocker.address(door,ticket)
            def send(body,**h):
                h={"Accept":"application/json",**h}
                h={k.replace("_","-"):v for k,v in h.items()}
                c=knocker._connection
                try:
                    c.request("POST",addr,body,{"Cookie":knocker._cookies[who],"Origin":world.site.url,"Content-Type":"application/x-www-form-urlencoded",**h})
                    a=c.getresponse(); return a.status,a.read()
                except (ConnectionError,http.client.HTTPException) as e:
                    c.close(); return repr(e),b""
            base=send(urlencode(form))
            for f in list(form)+["unknown_field"]:
                for v in NASTY:
                    b=urlencode({**form,f:v},errors="surrogatepass")
                    s,t=send(b); n+=1
                    if not isinstance(s,int) or s>=500 or s<200: out.append((door,f,v[:20],s,t[:200]))
            for b,h in [(b"%",{}),(b"a=%ff",{}),(b"\xff\xfe",{}),(b"&".join(b"a%d=1"%i for i in range(1000)),{}),(b"{}",{"Content_Type":"application/json"}),(b"["*100000,{"Content_Type":"application/json"}),(b"x",{"Content_Type":"text/plain"}),(b"x",{"Content_Type":"multipart/form-data"}),(b"x",{"Content_Type":"multipart/form-data; boundary=x"}),(b"--x\r\nContent-Disposition: form-data; name=\"body\"; filename=\"a\"\r\n\r\nx\r\n--x--",{"Content_Type":"multipart/form-data; boundary=x"}),(b"",{"Content_Type":""}),(b"a=1",{"Content_Type":"application/x-www-form-urlencoded; charset=utf-7"}),(b"x"*2000000,{}),(b"a=1",{"Accept":"text/html"}),(b"",{"Accept":"text/html"})]:
                s,t=send(b,**h); n+=1
                if not isinstance(s,int) or s>=500 or s<200: out.append((door,b[:20],h,s,t[:200]))
    print(n)
    print("\n".join(map(str,out)))
    after=snapshot(world)
    print([k for k in after if after[k]!=before[k]])
