"""Write the sample that comes with okt-lstm: 1,000 short labeled film reviews, 800 to train on and 200 to test with.

    python scripts/release/make_sample.py                # rewrites src/okt_lstm/data/sample with the same bytes

A review is an opening and a verdict, hand-written for this project, and an ending. Openings say nothing about the film,
so they go with both labels. No pair of opening and verdict is used twice, so the splits have no review in common. They
do have phrases in common, and a model that has seen all phrases can label every row. The sample is there to try every
step offline. Accuracies measured on it mean nothing.
"""

import argparse
import itertools
import random
from pathlib import Path

SEED = 20240501
ROWS = {"train": 800, "test": 200}
SAMPLE_DIR = Path(__file__).parents[2] / "src" / "okt_lstm" / "data" / "sample"

OPENINGS = """
어제 극장에서 봤는데
주말에 가족이랑 같이 봤는데
친구가 하도 보자고 해서 봤더니
별생각 없이 틀었는데
예고편만 보고 골랐는데
퇴근하고 혼자 보러 갔는데
비 오는 날 집에서 봤는데
원작을 읽고 나서 봤는데
감독 이름만 믿고 봤는데
포스터에 끌려서 봤는데
개봉 첫날에 보고 왔는데
뒤늦게 이제야 찾아봤는데
명절에 텔레비전에서 해 주길래 봤는데
시사회에 당첨돼서 다녀왔는데
동생이랑 심야로 봤는데
아이들 데리고 보러 갔는데
여자친구랑 팝콘 먹으면서 봤는데
평점 보고 반신반의하며 봤는데
비행기 안에서 봤는데
십 년 만에 다시 봤는데
자막으로 한 번, 더빙으로 한 번 봤는데
제목이 특이해서 눌러 봤는데
부모님 모시고 다녀왔는데
시리즈를 처음부터 다 챙겨 봤는데
큰 화면으로 보려고 일부러 찾아갔는데
숙제 때문에 봐야 했는데
잠이 안 와서 새벽에 봤는데
회사 동료들이랑 단체로 봤는데
무슨 내용인지도 모르고 들어갔는데
휴가 첫날 느긋하게 봤는데
배우 팬이라서 챙겨 봤는데
조조로 싸게 봤는데
수업 시간에 선생님이 틀어 주셨는데
다들 이야기하길래 궁금해서 봤는데
재개봉했다길래 보러 갔는데
지하철에서 나눠서 봤는데
밥 먹으면서 봤는데
두 번째 보는 건데
솔직하게 쓰자면
긴말 필요 없고
한 줄로 말하면
스포 없이 말하자면
다 보고 나서 하는 말인데
취향 차이는 있겠지만
"""

POSITIVE = """
시간 가는 줄 몰랐다
배우들 연기가 하나같이 훌륭하다
마지막 장면에서 펑펑 울었다
오랜만에 제대로 웃었다
음악이 아직도 귓가에 맴돈다
영상이 한 폭의 그림처럼 아름답다
올해 본 것 중에 최고다
돈이 하나도 안 아깝다
또 보고 싶어진다
이야기가 탄탄해서 눈을 뗄 수가 없다
반전에 소름이 돋았다
대사 하나하나가 가슴에 남는다
주인공에게 완전히 빠져들었다
여운이 며칠째 가시지 않는다
감독의 솜씨에 감탄했다
온 가족이 즐겁게 볼 만하다
따뜻하고 사랑스러운 작품이다
액션이 시원시원해서 속이 뻥 뚫린다
강력하게 추천한다
인생 영화라고 불러도 되겠다
기대 이상으로 재미있다
만점을 줘도 모자라다
아역 배우가 정말 사랑스럽다
끝까지 긴장감을 놓치지 않는다
보는 내내 행복했다
웃음과 감동을 다 잡았다
연출이 섬세해서 놀랐다
나도 모르게 박수를 쳤다
지친 마음에 위로가 되었다
조연들까지 빛나는 명작이다
몰입감이 엄청나다
소재가 신선하고 전개도 깔끔하다
극장을 나오면서 미소가 떠나지 않았다
두고두고 꺼내 볼 영화다
현실적인 이야기라 깊이 공감했다
역시 믿고 보는 배우다
결말이 완벽하다
다음 편이 벌써 기다려진다
가슴이 먹먹해질 만큼 감동적이다
입소문이 난 이유를 알겠다
유쾌하고 통쾌하다
잔잔하지만 힘이 있다
주변 사람 모두에게 권하고 싶다
배우들 호흡이 기가 막힌다
"""

NEGATIVE = """
너무 지루해서 중간에 잤다
돈도 시간도 아깝다
이야기가 앞뒤가 하나도 안 맞는다
배우들 연기가 어색해서 못 봐 주겠다
억지 눈물이 거슬린다
결말이 허무하기 짝이 없다
왜 만들었는지 모르겠다
하품만 나온다
웃기려고 하는데 하나도 안 웃긴다
예고편이 전부다
기대했는데 완전히 실망이다
올해 본 것 중에 최악이다
개연성이라고는 찾아볼 수가 없다
음악이 시끄럽기만 하다
대사가 유치해서 손발이 오그라든다
원작을 다 망쳐 놓았다
끝까지 보느라 고생했다
누가 본다고 하면 말리고 싶다
별 반 개도 아깝다
뻔한 전개라 다음 장면이 다 보인다
중간에 나가고 싶었다
감독이 무슨 말을 하려는지 모르겠다
편집이 엉성해서 정신이 없다
평점에 속았다
주인공이 답답해서 짜증이 난다
쓸데없이 길기만 하다
특수 효과가 조잡하다
불쾌한 장면만 가득하다
졸작이라는 말도 아깝다
두 번 다시 보고 싶지 않다
배우들이 불쌍할 지경이다
광고만 요란한 빈 수레다
긴장감이 전혀 없다
환불받고 싶은 심정이다
아무런 감동도 재미도 없다
남는 게 하나도 없다
설정만 그럴듯하고 속은 텅 비었다
보다가 꺼 버렸다
졸음을 참느라 힘들었다
이런 걸 돈 받고 보여 주다니 화가 난다
캐릭터가 하나같이 비호감이다
어디서 본 장면만 짜깁기했다
시리즈의 이름값도 못 한다
후회만 남는다
"""

ENDINGS = ["", "", "", ".", ".", "..", "...", "!", "!!", "~"]


def make_rows() -> dict[str, list[tuple[str, int]]]:
    """Draw the reviews of every split, from one generator with a fixed seed.

    Returns:
        For each split its reviews with their labels (0 negative, 1 positive), half of each, shuffled.
    """
    generator = random.Random(SEED)
    openings = OPENINGS.strip().splitlines()
    rows: dict[str, list[tuple[str, int]]] = {split: [] for split in ROWS}
    for label, verdicts in enumerate((NEGATIVE, POSITIVE)):
        pairs = list(itertools.product(openings, verdicts.strip().splitlines()))
        drawn = iter(generator.sample(pairs, sum(ROWS.values()) // 2))
        for split, count in ROWS.items():
            for opening, verdict in itertools.islice(drawn, count // 2):
                rows[split].append((f"{opening} {verdict}{generator.choice(ENDINGS)}", label))
    for split_rows in rows.values():
        generator.shuffle(split_rows)
    return rows


def main() -> None:
    """Write `ratings_train.txt` and `ratings_test.txt` in NSMC's format."""
    parser = argparse.ArgumentParser(description="Write the sample data set that comes with okt-lstm.")
    parser.add_argument("--output_dir", type=Path, default=SAMPLE_DIR, help="default: %(default)s")
    output_dir: Path = parser.parse_args().output_dir
    output_dir.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count(1)
    for split, rows in make_rows().items():
        lines = ["id\tdocument\tlabel"] + [f"{next(numbers)}\t{document}\t{label}" for document, label in rows]
        (output_dir / f"ratings_{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
